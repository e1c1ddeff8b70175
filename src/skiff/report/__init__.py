"""The door to paper: results become HTML, Markdown and charts. It never computes a result."""
