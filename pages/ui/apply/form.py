"""What is to be mapped with which decoder, and the button that starts the job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from engine.jobs.configuration.config import ApplyConfig, SceneConfig
from engine.jobs.job import submit
from engine.learning.result import TrainRun
from pages.ui import workspace
from pages.ui.apply import ground
from pages.ui.jobs import chosen_run
from pages.ui.look import errors, notices, wording
from pages.ui.state import address, cached, regions, results, session


def show(runs: Sequence[cached.JobFacts], stores: Sequence[cached.JobFacts]) -> SceneConfig | None:
    """Decoder, ground, and the button.

    Returns:
        The scenes of the first ground chosen; None without one.
    """
    run = _decoder(runs)
    notices.random_weights(run.decoder.is_random)
    fitting, refused = ground.offered(run, stores)
    if not fitting:
        st.info("Nothing here fits this decoder.", icon=":material/info:")
        ground.why_not(refused)
        return None
    by_key = {one.key: one for one in fitting}
    default = _asked(by_key) or _first(fitting)
    chosen = st.multiselect(
        "Ground", list(by_key), default=default, key=f"apply_ground_{run.folder.name}", max_selections=8,
        format_func=lambda key: by_key[key].words, help="One or several; each becomes a map. A place is embedded first "
        "where that has not been done.",
    )  # fmt: skip
    if regions.chosen() is not None:
        st.caption(
            f"Of {wording.plain(session.place().title)} only the region of Explore: {regions.in_words()}."
        )
    if st.button("Make the map", type="primary", key="make_map", icon=":material/map:", width="stretch", disabled=not chosen):  # fmt: skip
        with errors.in_words(stop=False):
            config = ApplyConfig(decoder=str(run.folder), ground=tuple(by_key[key].given for key in chosen))
            session.set_job(submit(config, workspace.folder()).id)
            st.rerun()
    ground.why_not(refused)
    return by_key[chosen[0]].scene if chosen else None


def _decoder(runs: Sequence[cached.JobFacts]) -> TrainRun:
    """A finished training: the one that a person comes from, or the newest.

    Raises:
        JobError: its files are gone or damaged.
    """
    by_id = {found.job.id: found for found in runs}
    words = chosen_run.labels(by_id, results.training_words)
    asked = session.job_id() or st.session_state.get("train_job")
    if asked in by_id and st.session_state.get("apply_came_from") != asked:
        st.session_state["apply_run"] = st.session_state["apply_came_from"] = asked
    elif st.session_state.get("apply_run") not in by_id:
        st.session_state["apply_run"] = next(iter(by_id))
    name = st.selectbox("Decoder", list(by_id), key="apply_run", format_func=words.__getitem__)
    return TrainRun.open(by_id[name].job.folder)


def _asked(by_key: Mapping[str, ground.Ground]) -> list[str]:
    """The ground that the address names, as far as it is here; a word on what is not."""
    asked = [word for word in (address.read("ground") or "").split(",") if word]
    for absent in (word for word in asked if word not in by_key):
        st.info(
            f"The link asks for ground “{wording.plain(absent)}”, which is not here or does not fit. Something else is shown.",
            icon=":material/link_off:",
        )
    return [word for word in asked if word in by_key]


def _first(fitting: Sequence[ground.Ground]) -> list[str]:
    """The place looked at where it fits, else the first that does."""
    wanted = f"place:{session.place().key}"
    return [wanted if any(one.key == wanted for one in fitting) else fitting[0].key]
