"""The frame around every page: title, navigation, job strip, and one place where errors turn into words."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from pathlib import Path

import streamlit as st
from streamlit.errors import FragmentHandledException

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # `pages.ui` is imported from the repository, not from an installed package
    sys.path.insert(0, str(ROOT))

from autoflow.errors import AutoFlowError, StoreError  # noqa: E402
from pages.ui import contrast, jobstrip, services  # noqa: E402


def main() -> None:
    """Draw the frame and the page that the URL names."""
    st.set_page_config(page_title="AutoFlow", page_icon=str(ROOT / "assets" / "logo.svg"), layout="wide")
    contrast.mend()
    st.logo(str(ROOT / "assets" / "logo.svg"), size="large")
    page = st.navigation(
        [
            st.Page(services.PAGES["home"], title="Home", icon=":material/home:", url_path="home", default=True),
            st.Page(services.PAGES["write"], title="Write", icon=":material/edit_note:", url_path="write"),
            st.Page(services.PAGES["run"], title="Run", icon=":material/play_circle:", url_path="run"),
            st.Page(services.PAGES["optimize"], title="Optimize", icon=":material/trending_up:", url_path="optimize"),
            st.Page(services.PAGES["compare"], title="Compare", icon=":material/compare:", url_path="compare"),
            st.Page(services.PAGES["benchmark"], title="Benchmark", icon=":material/grid_on:", url_path="benchmark"),
            st.Page(services.PAGES["models"], title="Models", icon=":material/memory:", url_path="models"),
        ]
    )
    try:
        services.store()
    except StoreError as error:
        st.title("AutoFlow cannot open its data")
        services.show_error(error)
        st.button("Try again", icon=":material/refresh:")
        return
    with st.sidebar, suppress(FragmentHandledException):
        jobstrip.draw()
    try:
        page.run()
    except FragmentHandledException:  # a part of the page failed, and was told where it stands: see `services.tell`
        return
    except AutoFlowError as error:
        services.show_error(error)
        st.page_link(services.PAGES["home"], label="Go to Home", icon=":material/home:")
    except Exception as error:  # a fault of ours: told in words here, whole in the log
        logging.getLogger("autoflow.pages").exception("a page failed")
        services.show_fault(error)


main()
