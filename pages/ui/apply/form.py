"""What is to be mapped with which decoder, and the button that starts the job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from engine.errors import EngineError
from engine.jobs.configuration.apply import Adapt
from engine.jobs.configuration.config import ApplyConfig, SceneConfig
from engine.jobs.job import submit
from engine.learning.keeping.result import TrainRun
from engine.learning.maps.alike import require_alike
from pages.ui import workspace
from pages.ui.apply import ground
from pages.ui.jobs import chosen_run
from pages.ui.look import errors, notices, wording
from pages.ui.look.fields import help_of
from pages.ui.state import address, cached, regions, results, session

_GROUND = "ground"  # of the address
_ADAPT: dict[Adapt, str] = {
    "auto": "Its mean, if taught on simulated ground and used on real", "centre": "Its mean",
    "standardise": "Its mean and deviation", "none": "No, as it was taught",
}  # fmt: skip
_GROUND_HELD, _GROUND_ABSENT = "apply_ground_held", "apply_ground_absent"


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
    chosen = _choose_ground(by_key, f"apply_ground_{run.folder.name}")
    if not chosen:
        _say_why_not_here(refused)
    ensemble = _ensemble(run, runs)
    adapt = _adapt()
    if regions.chosen() is not None:
        st.caption(
            f"Of {wording.plain(session.place().title)} only the region of Explore: {regions.in_words()}."
        )
    if st.button("Make the map", type="primary", key="make_map", icon=":material/map:", width="stretch", disabled=not chosen):  # fmt: skip
        with errors.in_words(stop=False):
            config = ApplyConfig(
                decoder=str(run.folder), ensemble=ensemble, ground=tuple(by_key[key].given for key in chosen),
                titles=tuple(by_key[key].title for key in chosen), adapt=adapt,
            )  # fmt: skip
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
    st.session_state["apply_came_from"] = st.session_state["train_job"] = name
    session.set_job(name)
    return TrainRun.open(by_id[name].job.folder)


def _ensemble(run: TrainRun, runs: Sequence[cached.JobFacts]) -> tuple[str, ...]:
    """Other decoders of the same task on the same embeddings, whose probabilities are averaged with the first one's."""
    alike = {
        found.job.id: found
        for found in runs
        if found.job.folder.resolve() != run.folder and _is_alike(run, found)
    }
    if not alike:
        return ()
    words = chosen_run.labels(alike, results.training_words)
    chosen = st.multiselect(
        "Averaged with", list(alike), key=f"apply_ensemble_{run.folder.name}", max_selections=15,
        format_func=words.__getitem__, placeholder="no other decoder",
        help="Trainings of the same task on the same embeddings, such as other seeds. The map shows the mean of their "
        "probabilities, and another layer where they disagree.",
    )  # fmt: skip
    return tuple(str(alike[name].job.folder) for name in chosen)


def _adapt() -> Adapt:
    """Whether the decoder is adapted to the ground: from simulated to real ground, unless something else is asked for."""
    asked: Adapt = st.selectbox(
        "Adapt the decoder to the ground", list(_ADAPT), key="apply_adapt", format_func=_ADAPT.__getitem__,
        help=help_of(ApplyConfig, "adapt"),
    )  # fmt: skip
    return asked


def _is_alike(run: TrainRun, found: cached.JobFacts) -> bool:
    try:
        require_alike([run, TrainRun.open(found.job.folder)])
    except EngineError:
        return False
    return True


def _choose_ground(by_key: Mapping[str, ground.Ground], widget: str) -> list[str]:
    """One or several; the address keeps them, and says what of it is not here."""
    asked = [word for word in (address.read(_GROUND) or "").split(",") if word]
    if asked != st.session_state.get(_GROUND_HELD, []):  # a link, and not the widget, has put it there
        st.session_state[widget] = [word for word in asked if word in by_key] or _first(list(by_key.values()))
        st.session_state[_GROUND_ABSENT] = [word for word in asked if word not in by_key]
    held = st.session_state.get(widget, _first(list(by_key.values())))
    st.session_state[widget] = [key for key in held if key in by_key]
    for absent in st.session_state.get(_GROUND_ABSENT, []):
        st.info(
            f"The link asks for ground “{wording.plain(absent)}”, which is not here or does not fit. Something else is shown.",
            icon=":material/link_off:",
        )
    chosen = st.multiselect(
        "Ground", list(by_key), key=widget, max_selections=8, on_change=_forget_absent,
        format_func=lambda key: by_key[key].words, help="One or several; each becomes a map. A place is embedded first "
        "where that has not been done.",
    )  # fmt: skip
    st.session_state[_GROUND_HELD] = list(chosen)
    address.write(_GROUND, ",".join(chosen) or None)
    return list(chosen)


def _forget_absent() -> None:
    st.session_state[_GROUND_ABSENT] = []


def _say_why_not_here(refused: Sequence[tuple[str, str]]) -> None:
    """Why the place looked at cannot be mapped; another one is mapped only where a person chooses it."""
    place = session.place().title
    reason = dict(refused).get(place)
    if reason is not None:
        st.warning(
            f"**{wording.plain(place)}** cannot be mapped with this decoder. {wording.told(reason)} "
            "Choose other ground, or another decoder.",
            icon=":material/block:",
        )


def _first(fitting: Sequence[ground.Ground]) -> list[str]:
    """The place looked at; nothing where it does not fit."""
    wanted = f"place:{session.place().key}"
    return [wanted] if any(one.key == wanted for one in fitting) else []
