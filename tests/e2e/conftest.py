"""A real browser, a window for each person, that trusts the platform's own authority besides the public ones."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.e2e.person import SCREENSHOTS, Person
from tests.site import Site

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class People(dict[str, Person]):
    """The people of the inventory; each gets a window when first spoken of, which stays open for all tests."""

    def __init__(self, site: Site, browser: Browser) -> None:
        super().__init__()
        self._site, self._browser = site, browser

    def __missing__(self, name: str) -> Person:
        self[name] = Person(name, self._site, self._browser.new_context(viewport={"width": 1280, "height": 800}))
        return self[name]


@pytest.fixture(scope="session")
def browser(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium with a certificate store of its own."""
    home = tmp_path_factory.mktemp("chromium")
    certificate, store = home / "ca.crt", home / ".pki/nssdb"
    certificate.write_text(site.ca_certificate)
    store.mkdir(parents=True)
    certutil = ["certutil", "-d", f"sql:{store}"]
    subprocess.run([*certutil, "-N", "--empty-password"], check=True)
    subprocess.run([*certutil, "-A", "-t", "C,,", "-n", "platform", "-i", str(certificate)], check=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
            args=FLAGS,
            env={**os.environ, "HOME": str(home)},
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def people(site: Site, browser: Browser) -> People:
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    return People(site, browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep a picture of every window when a test has failed."""
    report = yield
    people = item.funcargs.get("people") if isinstance(item, pytest.Function) else None
    if report.failed and isinstance(people, People):
        for name, person in people.items():
            try:
                person.screenshot(f"failed-{item.name}-{name}")
            except PlaywrightError as error:  # a window that hangs must not end the whole run
                report.sections.append((f"No picture of {name}", str(error)))
    return report
