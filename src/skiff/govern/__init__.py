"""Standards and duties set against what was really done.

Each provision of a framework is *shown by evidence* (ledger records that a stranger can look up), *stated by a person* (who, when),
or *open*. Nothing here says that a law or a standard is met: that is for people, and it can only be judged over an organisation.

The tables are paraphrases of our own with version and date (`skiff.govern.frameworks`); what a record shows is written in one place
(`skiff.govern.proofs`); who is provider, deployer or processor, and which risk class a use falls in, comes from a short dated
questionnaire (`skiff.govern.questions`). The record of processing is in `skiff.govern.register`.
"""
