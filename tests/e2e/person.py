"""What a person does in a browser on the platform."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.play import measure
from tests.site import ROOT, Site

SCREENSHOTS = ROOT / "artifacts/screenshots"
START = 240_000
"""Milliseconds that a server may take to start on a small machine."""


@dataclass
class Person:
    """One person with a browser window and its own cookies."""

    name: str
    site: Site
    context: BrowserContext
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        self.context.set_default_timeout(30_000)
        self.page = self.context.new_page()

    def screenshot(self, name: str) -> Path:
        """Keep a picture of the window."""
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def open(self, path: str) -> Page:
        """Go to a path of the platform."""
        self.page.goto(f"{self.site.url}{path}")
        return self.page

    @property
    def login_form(self) -> Locator:
        """Keycloak's login form."""
        return self.page.locator("#kc-form-login")

    def log_in(self) -> None:
        """Open the platform and log in at Keycloak, if it asks."""
        self.open("/hub/home")
        self.page.wait_for_url(re.compile(r"/realms/|/hub/"))
        if "/realms/" in self.page.url:
            self.submit_login(self.site.password(self.name))

    def submit_login(self, password: str) -> None:
        """Fill in Keycloak's form."""
        self.page.fill("#username", self.name)
        self.page.fill("#password", password)
        self.page.click("#kc-login")

    def profiles(self) -> list[str]:
        """Names of the profiles that the page offers."""
        self.open(f"/hub/spawn/{quote(self.name, safe='@')}")
        expect(self.page.locator("#kubespawner-profiles-list")).to_be_visible()
        return [text.strip() for text in self.page.locator("#kubespawner-profiles-list h3").all_inner_texts()]

    def go_to_work(self, profile: str) -> None:
        """Log in, start a server and open a notebook."""
        self.log_in()
        self.start_server(profile)
        self.open_notebook()

    def choose(self, profile: str, **options: str) -> float:
        """Ask for a server with a profile, and with choices of its options; when that was, in seconds."""
        self.profiles()
        heading = self.page.locator("#kubespawner-profiles-list h3", has_text=re.compile(rf"^\s*{profile}\s*$"))
        heading.click()
        for name, choice in options.items():
            self.page.locator(f"select[id$={name}]:visible").select_option(choice)
        asked = time.monotonic()
        self.page.locator("input[type=submit], button[type=submit]").first.click()
        return asked

    def start_server(self, profile: str, **options: str) -> None:
        """Choose a profile and wait until JupyterLab is there. A server that an earlier run has left is stopped first."""
        self.stop_server()
        asked = self.choose(profile, **options)
        self.page.wait_for_url(re.compile(rf"/user/{quote(self.name, safe='@')}/lab"), timeout=START)
        expect(self.page.locator("#jp-main-dock-panel")).to_be_visible(timeout=60_000)
        measure("click-to-notebook", seconds=time.monotonic() - asked)

    def stop_server(self) -> None:
        """Stop the own server, if there is one, and wait until it is gone."""
        self.open("/hub/home")
        self.page.wait_for_load_state("networkidle")  # the button does nothing until the page's script is there
        if self.page.locator("#stop").is_visible():
            self.page.click("#stop")
        expect(self.page.locator("#start")).to_contain_text("Start", timeout=90_000)

    def open_notebook(self) -> None:
        """Open a new notebook in JupyterLab and wait for its kernel."""
        self.open(f"/user/{quote(self.name, safe='@')}/lab?reset")
        card = self.page.locator('.jp-LauncherCard[data-category="Notebook"]').first
        card.click(timeout=60_000)
        self.wait_for_kernel()

    def wait_for_kernel(self) -> None:
        """Wait until the open notebook has its kernel, and that has nothing to do."""
        expect(self.page.locator(".jp-NotebookPanel")).to_be_visible(timeout=60_000)
        expect(self.page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible(timeout=60_000)
        # the indicator is idle before there is a kernel too, and what is run then is lost
        expect(self.page.locator("#jp-bottom-panel")).to_contain_text("| Idle", timeout=60_000)

    def run_cell(self, code: str) -> str:
        """Type code into the last cell of the open notebook, run it, and read what it printed."""
        cell = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell").last
        cell.locator(".cm-content").click()
        self.page.keyboard.insert_text(code)
        before = self.page.locator(".jp-CodeCell").count()
        self.page.keyboard.press("Shift+Enter")
        expect(self.page.locator(".jp-CodeCell")).to_have_count(before + 1)
        ran = self.page.locator(".jp-CodeCell").nth(before - 1)
        expect(ran.locator(".jp-InputPrompt")).to_have_text(re.compile(r"^\[\d+\]:$"), timeout=30_000)
        return "\n".join(ran.locator(".jp-OutputArea-output").all_inner_texts()).strip()

    def log_out(self) -> None:
        """Log out by the hub's own page."""
        self.open("/hub/logout")
        expect(self.page.locator("#logout-main")).to_be_visible()
