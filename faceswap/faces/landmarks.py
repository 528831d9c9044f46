"""The 68 landmarks of iBUG's annotation scheme by name.

Sagonas, Tzimiropoulos, Zafeiriou & Pantic, "300 Faces in-the-Wild Challenge" (2013). Right and left are the person's
own: the right eye is on the picture's left. Slices and lists index the first axis of a (68, 2) array.
"""

JAW = slice(0, 17)
"""From the right ear over the chin to the left ear."""
RIGHT_BROW, LEFT_BROW = slice(17, 22), slice(22, 27)
BROWS = slice(17, 27)
NOSE = slice(27, 36)
RIGHT_EYE, LEFT_EYE = slice(36, 42), slice(42, 48)
EYES = (RIGHT_EYE, LEFT_EYE)
"""Each from corner to corner along the upper lid, then back along the lower one."""
OUTER_LIPS, INNER_LIPS, MOUTH = slice(48, 60), slice(60, 68), slice(48, 68)
INNER = slice(17, 68)
"""The 51 landmarks without the jaw line: they move least with the mouth and are found best."""

CHIN, NOSE_TIP, NOSE_BASE = 8, 30, 33
RIGHT_EYE_CORNER, LEFT_EYE_CORNER = 36, 45
"""The outer corners."""
RIGHT_MOUTH_CORNER, LEFT_MOUTH_CORNER = 48, 54
RIGHT_INNER_CORNER, LEFT_INNER_CORNER = 60, 64
"""Corners of the inner lips."""

UPPER_LIP_OUTER, UPPER_LIP_INNER = [48, 49, 50, 51, 52, 53, 54], [60, 61, 62, 63, 64]
LOWER_LIP_INNER, LOWER_LIP_OUTER = [60, 67, 66, 65, 64], [48, 59, 58, 57, 56, 55, 54]
"""Edges of the lips, each from the right corner to the left one."""
UPPER_LIP_MIDDLE, LOWER_LIP_MIDDLE = [61, 62, 63], [67, 66, 65]
"""Inner lips without their corners, in pairs above each other."""
UPPER_LIDS, LOWER_LIDS = [37, 38, 43, 44], [41, 40, 47, 46]
"""Lids of both eyes without the corners, in pairs above each other."""
EYE_UPPER_LID, EYE_LOWER_LID = [0, 1, 2, 3], [0, 5, 4, 3]
"""Of one eye's six landmarks, from corner to corner."""
