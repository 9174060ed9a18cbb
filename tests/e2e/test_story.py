"""The story of the platform's users, from the login to the logout, in a real browser."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import People
from tests.e2e.person import Person
from tests.site import ROOT, Site

NOTE = "/shared/research/note.txt"


@pytest.fixture(scope="module", autouse=True)
def everybody_begins_anew(people: People) -> None:
    """No server runs yet, and nobody is logged in."""
    for name in ("ada", "rosa", "otto"):
        people[name].log_in()
        people[name].stop_server()
        people[name].log_out()


@pytest.fixture(scope="module")
def rosa(people: People) -> Person:
    """Somebody of the group research, at work in a notebook."""
    people["rosa"].go_to_work("Research")
    return people["rosa"]


@pytest.fixture(scope="module")
def otto(people: People) -> Person:
    """Somebody of another group, at work in a notebook."""
    people["otto"].go_to_work("Small")
    return people["otto"]


def test_the_platform_asks_who_one_is(people: People) -> None:
    nobody = people["nobody"]
    nobody.open("/")
    expect(nobody.login_form).to_be_visible()
    assert nobody.page.url.startswith(f"{nobody.site.url}/auth/realms/")
    # The name of the site stands on a light ground.
    expect(nobody.page.locator("#kc-header-wrapper")).not_to_have_css("color", "rgb(255, 255, 255)")
    nobody.screenshot("01-login")


def test_a_wrong_password_is_refused(people: People) -> None:
    nobody = people["nobody"]
    nobody.open("/")
    nobody.submit_login("wrong")
    expect(nobody.page.locator("#input-error, #input-error-username, .alert-error").first).to_be_visible()


def test_plain_http_leads_to_https(people: People, site: Site) -> None:
    nobody = people["nobody"]
    nobody.page.goto(f"http://{site.value('platform_domain')}:{site.value('platform_http_port')}/")
    assert nobody.page.url.startswith(f"{site.url}/")


def test_only_the_profiles_of_ones_groups_are_offered(people: People) -> None:
    offered = {}
    for name in ("rosa", "otto"):
        people[name].log_in()
        offered[name] = people[name].profiles()
        people[name].screenshot(f"02-profiles-{name}")
    assert offered == {"rosa": ["Small", "Research"], "otto": ["Small"]}


def test_a_profile_of_another_group_cannot_be_forced(people: People) -> None:
    otto = people["otto"]
    otto.log_in()
    otto.profiles()
    form = otto.page.locator("form#spawn_form, form").filter(has=otto.page.locator("#kubespawner-profiles-list"))
    form.locator("input[name=profile]").first.evaluate("(input) => { input.value = 'research'; input.checked = true }")
    form.locator("input[type=submit], button[type=submit]").click()
    expect(otto.page.locator("body")).to_contain_text(
        re.compile("not (offered|permitted|allowed)|no profile", re.IGNORECASE)
    )
    otto.screenshot("02-profile-refused")


def test_a_cell_prints_its_result(rosa: Person) -> None:
    assert rosa.run_cell("print(6 * 7)") == "42"
    rosa.screenshot("03-notebook")


def test_a_file_in_the_group_folder_is_there_for_the_other_member(people: People, rosa: Person) -> None:
    assert rosa.run_cell(f"import pathlib; pathlib.Path('{NOTE}').write_text('from rosa')") == "9"
    ada = people["ada"]
    ada.log_in()
    ada.start_server("Small")
    ada.open_notebook()
    assert ada.run_cell(f"import pathlib; pathlib.Path('{NOTE}').read_text()") == "'from rosa'"
    ada.run_cell(f"pathlib.Path('{NOTE}').write_text('from ada')")
    ada.screenshot("04-group-folder")
    assert rosa.run_cell(f"pathlib.Path('{NOTE}').read_text()") == "'from ada'"


def test_the_outsider_does_not_reach_the_group_folder(otto: Person, rosa: Person) -> None:
    rosa.run_cell(f"import pathlib; pathlib.Path('{NOTE}').write_text('from rosa')")
    assert otto.run_cell("import os; print(os.listdir('/shared'))") == "['teaching']"
    assert otto.run_cell("!find / -name note.txt -not -path '/proc/*' 2>/dev/null | wc -l") == "0"
    otto.screenshot("05-outsider")


def test_homes_are_private(otto: Person, rosa: Person) -> None:
    rosa.run_cell("import pathlib; pathlib.Path.home().joinpath('mine.txt').write_text('rosa')")
    assert otto.run_cell("!find / -name mine.txt -not -path '/proc/*' 2>/dev/null | wc -l") == "0"


@pytest.fixture
def profiles_with_tiny(site: Site) -> Iterator[None]:
    """One more profile in the config, applied as a platform engineer would."""
    profiles = [*site.value("jupyterhub_profiles"), {"name": "tiny", "display_name": "Tiny", "description": "New"}]
    subprocess.run(
        site.playbook("site.yml", "--tags", "jupyterhub", jupyterhub_profiles=profiles), cwd=ROOT, check=True
    )
    yield
    subprocess.run(site.playbook("site.yml", "--tags", "jupyterhub"), cwd=ROOT, check=True)


def test_a_changed_profile_reaches_the_hub_and_running_servers_live_on(
    request: pytest.FixtureRequest, people: People, rosa: Person
) -> None:
    lena = people["lena"]
    lena.log_in()
    assert lena.profiles() == ["Small"]
    rosa.run_cell("kept = 'still here'")
    request.getfixturevalue("profiles_with_tiny")
    assert lena.profiles() == ["Small", "Tiny"]
    lena.screenshot("06-profiles-changed")
    assert rosa.run_cell("print(kept)") == "still here"
    rosa.screenshot("06-still-running")


def test_without_a_permitted_group_one_gets_a_clear_page(people: People) -> None:
    gina = people["gina"]
    gina.log_in()
    expect(gina.page.locator("#forbidden")).to_be_visible()
    expect(gina.page.locator("body")).not_to_contain_text("Traceback")
    gina.screenshot("07-no-access")


def test_logout_ends_the_session_at_keycloak_too(rosa: Person) -> None:
    rosa.log_out()
    rosa.screenshot("08-logged-out")
    rosa.open("/hub/home")
    expect(rosa.login_form).to_be_visible()
