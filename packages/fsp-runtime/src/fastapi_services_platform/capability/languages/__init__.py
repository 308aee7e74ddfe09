"""The languages of pages and letters: English as it is written, others from each capability's gettext catalogue."""

from fastapi_services_platform.capability.languages.catalogues import SOURCE_LANGUAGE, Catalogues, marked
from fastapi_services_platform.capability.languages.negotiation import chosen_language
from fastapi_services_platform.capability.languages.reader import Reader

__all__ = ["SOURCE_LANGUAGE", "Catalogues", "Reader", "chosen_language", "marked"]
