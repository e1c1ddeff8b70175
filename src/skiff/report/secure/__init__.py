"""What attacks on a model found, in plain words, and the page that says it: one module for each attack, `told` for their common form."""

from skiff.report.secure.attributes import tell_attributes
from skiff.report.secure.evasion import tell_evasion
from skiff.report.secure.extraction import tell_extraction
from skiff.report.secure.inversion import tell_inversion
from skiff.report.secure.membership import Exposed, tell_membership, tell_rare_class
from skiff.report.secure.page import SecureStory, render_secure
from skiff.report.secure.poison import tell_poison
from skiff.report.secure.told import Told, tell_too_few

__all__ = [
    "Exposed",
    "SecureStory",
    "Told",
    "render_secure",
    "tell_attributes",
    "tell_evasion",
    "tell_extraction",
    "tell_inversion",
    "tell_membership",
    "tell_poison",
    "tell_rare_class",
    "tell_too_few",
]
