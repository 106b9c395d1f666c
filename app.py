"""The frame of the app: navigation, sidebar, and the same-origin routes that the maps load from.

Streamlit runs this file once a rerun as `__main__`; its server imports it once as `app` and takes the App object.
"""

from __future__ import annotations

import streamlit as st
from starlette.middleware import Middleware

from pages.ui.door.door import Door
from pages.ui.door.kept_answers import KeptAnswers
from pages.ui.look import errors
from pages.ui.map.routes import serving
from pages.ui.state import downloads

if __name__ == "__main__":
    from pages.ui.frame import frame  # after the runtime is up: the map component registers itself with it

    frame.draw()
else:
    app = st.App(
        __file__, routes=[*serving.routes(), *downloads.routes()], middleware=[Middleware(Door), Middleware(KeptAnswers)],
        lifespan=serving.warm_up, on_script_error=errors.tell_unforeseen,
    )  # fmt: skip
