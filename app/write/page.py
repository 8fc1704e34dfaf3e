"""The page "Write a lesson": a form, beside it the lesson as it will look, and the file that both stand for."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from app import drafts, state, tab, text
from app.drafts import Draft
from app.learn import progress
from app.write import start
from app.write import text as write_text
from app.write.fields import MISSING, Form, fill, filled, problems
from app.write.form import form as draw_form
from app.write.preview import preview
from engine.preset import FileExistsAlreadyError, PresetError, may_save, save_lesson
from engine.preset.library import MAX_LESSON_BYTES, load_preset

TITLE = write_text.TITLE
HERE = Path(__file__).parent
LEARN_STYLE = HERE.parent / "learn" / "style.css"
COMMIT, KEEP = ((HERE / name).read_text() for name in ("commit_typed.js", "keep_draft.js"))
SAVED, ASKS = "write_saved", "write_asks"  # names in the tab's storage: what was kept, and the slug that would replace


def page(playground: Page) -> None:
    """Draw the page. The playground stays as it was left."""
    state.leave()
    draft = start.shown()
    progress.forget_lesson(draft.slug)  # tried again, it begins anew
    st.html(LEARN_STYLE)
    st.html(HERE / "style.css")
    with st.container(key="write"):
        form = Form(draft)
        bar(form, playground)
        left, right = st.columns([11, 9], gap="large")
        with left, st.container(key="write_form"):
            draw_form(form)
        with right, st.container(key="write_look"):
            look, file = st.tabs([write_text.PREVIEW, write_text.AS_FILE])
            with look:
                preview(draft)
            with file:
                as_file(form)
            st.html(problems(form.untold()))
    in_the_browser(draft)


def in_the_browser(draft: Draft) -> None:
    """What only the browser can do: say what is being typed, and keep the draft when the server ends."""
    commit, keep = (
        st.components.v2.component(name, html="<i></i>\n", js=script, isolate_styles=False)
        for name, script in (("commit_typed", COMMIT), (start.KEEPER, KEEP))
    )
    kept = {"name": draft.name, "text": (draft.raw or draft.text) if draft.changed else "", "asks": not drafts.mine()}
    with st.container(key="listening"):
        commit(key="commit_typed", data={})
        keep(key=start.KEEPER, data=kept, on_kept_change=start.on_kept)


def bar(form: Form, playground: Page) -> None:
    """The page's title, what a lesson is begun from, and what can be done with it."""
    draft = form.draft
    with st.container(key="write_bar", horizontal=True, vertical_alignment="center", gap="small"):
        st.title(TITLE, anchor=False, width="stretch")
        start.popover()
        wrong = bool(draft.problems)
        # A button, not a link: Streamlit sends what a field holds after a link's new page, and comes back for it.
        if st.button(write_text.TRY, key="try_lesson", icon=":material/play_arrow:", type="primary", disabled=wrong):
            st.switch_page(playground, query_params={"preset": draft.slug})
        name = draft.file if re.fullmatch(r"[\w-]+\.md", draft.file) else f"{drafts.UNNAMED}.md"
        st.download_button(write_text.DOWNLOAD.format(file=name), draft.text, name, "text/markdown", key="download",
                           icon=":material/download:", on_click="ignore")  # fmt: skip
        if may_save():
            st.button(write_text.SAVE, key="save", icon=":material/save:", disabled=wrong, on_click=on_save,
                      args=(draft,))  # fmt: skip
    with st.container(key="write_said"):
        start.failed()
        kept(draft)
    with st.container(key="write_status", horizontal=True, vertical_alignment="center", gap="medium"):
        st.html(status(draft))
        with st.container(key="write_name", width=260):
            key = form.key(("file",))
            if tab.load(key) is None:
                tab.store(key, draft.name)
            st.text_input(write_text.FILE_NAME, key=key, placeholder=draft.usual_name, live="0.4s", max_chars=80,
                          help=write_text.FILE_NAME_HELP, on_change=on_name, args=(form,),
                          autocomplete="off")  # fmt: skip
            form.tell(("file",))


def status(draft: Draft) -> str:
    """Whether the lesson can be used, and where it is kept, as HTML."""
    number, missing = len(draft.problems), sum(each.says.endswith(MISSING) for each in draft.problems)
    kind = "ready" if not number else "missing" if missing == number else "problem"
    says = write_text.count(number, missing) if number else write_text.READY
    raw = f'<p class="problem" role="status">{write_text.RAW}</p>' if draft.raw else ""
    return f'<p class="{kind}" role="status">{says}</p>{raw}<p>{write_text.KEPT}</p>'


def on_name(form: Form) -> None:
    """Take over the file's name."""
    form.draft.name = (filled(tab.value(form.key(("file",)))) or "").strip().removesuffix(".md")
    form.changed()


# ---- the file


def as_file(form: Form) -> None:
    """The file itself; a change of it is read into the form."""
    draft = form.draft
    st.caption(write_text.AS_FILE_NOTE)
    key = f"write_raw_{draft.id}"
    fill(key, draft.raw or draft.text)
    st.text_area(write_text.AS_FILE, key=key, height=460, label_visibility="collapsed", max_chars=MAX_LESSON_BYTES,
                 on_change=on_raw, args=(draft, key))  # fmt: skip
    if draft.raw:
        try:
            Draft(draft.table, draft.name).read(draft.raw)
        except PresetError as error:
            st.html(problems([f"{write_text.NOT_READ} {error.says}"]))
        st.button(write_text.AS_FORM, key="undo_raw", on_click=on_undo, args=(draft,))


def on_raw(draft: Draft, key: str) -> None:
    """Read the file that somebody has changed; one that cannot be read stays as it was typed."""
    with suppress(PresetError):
        draft.read(tab.value(key))
    drafts.keep(draft)


def on_undo(draft: Draft) -> None:
    """Forget a file that cannot be read."""
    draft.raw = ""
    drafts.keep(draft)


# ---- kept on the server


def on_save(draft: Draft, replace: bool = False) -> None:
    """Keep the lesson in the teacher's folder; ask before a file is replaced."""
    slug = draft.file.removesuffix(".md")
    tab.store(SAVED, ("", ""))
    tab.store(ASKS, "")
    try:
        save_lesson(slug, draft.text, replace=replace)
    except FileExistsAlreadyError:
        tab.store(ASKS, slug)
    except PresetError as error:
        tab.store(SAVED, ("", str(error)))
    else:
        tab.store(SAVED, (write_text.SAVED.format(file=draft.file), ""))


def kept(draft: Draft) -> None:
    """What became of the lesson that was to be kept; asked again before a file is replaced."""
    done, refused = tab.load(SAVED) or ("", "")
    tab.store(SAVED, None)
    if done:
        st.success(done)
    if refused:
        st.warning(text.plain(refused, 1000))
    if (slug := tab.load(ASKS)) and slug == draft.file.removesuffix(".md"):
        try:
            title = load_preset(slug).title
        except PresetError:
            title = write_text.A_FILE
        st.warning(write_text.REPLACE_QUESTION.format(file=draft.file, title=text.plain(title)))
        with st.container(key="write_replace", horizontal=True):
            st.button(write_text.REPLACE, key="replace", on_click=on_save, args=(draft, True))
            st.button(write_text.REPLACE_NOT, key="replace_not", on_click=lambda: tab.store(ASKS, ""))
