"""The visible label's text in several languages, in the letters that its font has (no accents)."""

TEXTS = {
    "en": "AI-GENERATED FACE",
    "de": "KI-GENERIERTES GESICHT",
    "es": "ROSTRO GENERADO POR IA",
    "fr": "VISAGE GENERE PAR IA",
    "it": "VOLTO GENERATO DALL'IA",
    "nl": "DOOR AI GEMAAKT GEZICHT",
    "pl": "TWARZ WYGENEROWANA PRZEZ AI",
    "pt": "ROSTO GERADO POR IA",
    "sv": "AI-GENERERAT ANSIKTE",
    "tr": "YAPAY ZEKA ILE URETILMIS YUZ",
}
"""Language by its ISO 639 code."""
