"""Attack a release the way strangers would: `attack` is the promise, `siege` the release under attack, then one module for each attack."""

from skiff.flows.secure.attack import ATTACKS, SecureOutcome, secure
from skiff.flows.secure.siege import Attack, SecureWishes

__all__ = ["ATTACKS", "Attack", "SecureOutcome", "SecureWishes", "secure"]
