"""What Streamlit tells and is told about visitors: the files that they hold, and the sentence of a refusal."""

from __future__ import annotations

import streamlit as st
from streamlit import config, runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from app.allowance import RefusedError
from engine.limits import LIMITS


def limit_uploads() -> None:
    """Let Streamlit accept uploads up to the limit."""
    config.set_option("server.maxUploadSize", LIMITS.upload_megabytes)


def uploaded() -> int:
    """Bytes of all files that were uploaded and are still held."""
    manager = runtime.get_instance().uploaded_file_mgr if runtime.exists() else None
    if not isinstance(manager, MemoryUploadedFileManager):
        return 0
    return sum(len(file.data) for files in list(manager.file_storage.values()) for file in list(files.values()))


def refused(error: Exception) -> bool:
    """Show a refusal as the sentence that it is.

    Returns:
        True if it was one: then Streamlit shows nothing else.
    """
    if isinstance(error, RefusedError):
        st.warning(str(error))
    return isinstance(error, RefusedError)
