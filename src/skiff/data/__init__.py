"""The room of data: what is in the table, and can it be trusted.

Parsing turns raw text cells into typed columns and says every decision it took; the profile and the checks (`checks/`)
find what ruins models; `splits` proposes which rows train and which are sealed. Typed frames are Polars: numbers are
Float64 or Int64, yes/no Boolean, text and categories String, dates Date or Datetime("us") without a zone (UTC).

Everything here is pure: frames come in, frames and findings go out.
"""
