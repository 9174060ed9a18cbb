"""JupyterHub as its users and their neighbours find it: refusals, isolation, files, and what survives."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import People
from tests.e2e.hub import call, configured, is_ready, is_settled, pod, pods, recreate, wait_for
from tests.e2e.person import Person
from tests.site import ROOT, Site

CONNECT = """
import socket
def reach(host, port):
    try:
        socket.create_connection((host, port), 3).close()
        return 'reached'
    except socket.gaierror:
        return 'unknown'
    except OSError:
        return 'refused'
"""


PICTURE = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'%3E"
    "%3Ccircle cx='4.5' cy='4.5' r='4' fill='%230a7d4f'/%3E%3C/svg%3E"
)


def refused(person: Person, profile: str) -> None:
    """Ask for a profile past the page. A hub under load says so after it has promised to try."""
    answer = call(person, "POST", f"/hub/api/users/{person.name}/server", {"profile": profile})
    if answer["status"] == 202:
        wait_for(lambda: is_settled(person))
    else:
        assert answer["status"] == 403
        assert "not offered to you" in answer["text"]
    assert '"server": null' in call(person, "GET", f"/hub/api/users/{person.name}")["text"]
    assert pods(person.site, f"jupyter-{person.name}") == []


@pytest.fixture(scope="module", autouse=True)
def settings(site: Site) -> Iterator[None]:
    """What these tests need more of than the inventory has, applied as a platform engineer would."""
    more = {
        "jupyterhub_profiles": [
            *site.value("jupyterhub_profiles"),
            {"name": "broken", "display_name": "Broken", "image": "localhost/there/is/none:1"},
        ],
        "jupyterhub_shared_folders": [
            {"name": "organisation", "read": ["*"], "write": ["research"]},
        ],
        "jupyterhub_skeleton": {"welcome.md": "Welcome\n", ".config/tool/settings.ini": "[tool]\n"},
        "jupyterhub_theme": {
            "title": "Test Platform",
            "announcement": "Maintenance on <b>Friday</b>",
            "announcements": {"spawn": "Big servers are dear"},
            "welcome": "Ask <i>us</i>",
            "footer": "Imprint",
            "primary_color": "#0a7d4f",
            "logo": PICTURE,
            "favicon": PICTURE,
        },
        "jupyterhub_named_servers": 1,
        "jupyterhub_auth_refresh_age": 3,
    }
    with configured(site, **more):
        yield


@pytest.fixture(scope="module")
def rosa(people: People) -> Iterator[Person]:
    """Somebody of the group research, at work in a notebook."""
    rosa = people["rosa"]
    rosa.go_to_work("Research")
    yield rosa
    rosa.stop_server()


@pytest.fixture(scope="module")
def otto(people: People) -> Iterator[Person]:
    """Somebody of another group, at work in a notebook."""
    otto = people["otto"]
    otto.go_to_work("Small")
    yield otto
    otto.stop_server()


@pytest.fixture
def lena(people: People) -> Iterator[Person]:
    """Somebody without a server, before and after."""
    lena = people["lena"]
    lena.log_in()
    yield lena
    call(lena, "DELETE", "/hub/api/users/lena/server")


def test_a_forbidden_profile_is_refused_by_the_api_too(lena: Person) -> None:
    refused(lena, "research")


def test_a_profile_that_does_not_exist_is_refused(lena: Person) -> None:
    refused(lena, "enormous")


def test_nobody_starts_or_opens_the_server_of_somebody_else(lena: Person, rosa: Person) -> None:
    assert call(lena, "POST", "/hub/api/users/rosa/servers/x")["status"] in (403, 404)
    lena.open("/user/rosa/api/contents")
    expect(lena.page.locator("body")).not_to_contain_text('"content"')
    lena.screenshot("10-not-my-server")


def test_the_admin_page_is_for_administrators(people: People, lena: Person) -> None:
    ada = people["ada"]
    ada.log_in()
    ada.open("/hub/admin")
    expect(ada.page.get_by_text("rosa").first).to_be_visible()
    ada.screenshot("11-admin")
    lena.open("/hub/admin")
    expect(lena.page.locator("#forbidden")).to_be_visible()


def test_groups_change_without_a_new_login(site: Site, lena: Person) -> None:
    before = lena.profiles()
    assert "Research" not in before
    users = [
        {**user, "groups": [*user["groups"], "research"]} if user["username"] == "lena" else user
        for user in site.value("keycloak_users")
    ]
    subprocess.run(site.playbook("site.yml", "--tags", "keycloak", keycloak_users=users), cwd=ROOT, check=True)
    try:
        lena.page.wait_for_timeout(4000)
        assert "Research" in lena.profiles()
    finally:
        subprocess.run(site.playbook("site.yml", "--tags", "keycloak"), cwd=ROOT, check=True)
    lena.page.wait_for_timeout(4000)
    assert lena.profiles() == before


def test_the_end_of_the_browsers_session_at_keycloak_breaks_nothing(site: Site, lena: Person) -> None:
    lena.open("/hub/home")
    lena.open(f"/auth/realms/{site.value('platform_realm')}/protocol/openid-connect/logout")
    lena.page.click("#kc-logout")
    lena.page.wait_for_timeout(4000)
    lena.open("/hub/home")
    expect(lena.page.locator("#start")).to_be_visible()


def test_one_is_oneself_in_the_shell(rosa: Person) -> None:
    assert rosa.run_cell("!whoami") == "rosa"
    assert rosa.run_cell("!echo $HOME; id -u; id -g").split() == ["/home/rosa", "1000", "100"]


def test_new_files_in_the_group_folder_are_for_the_whole_group(rosa: Person) -> None:
    rosa.run_cell("!rm -rf /shared/research/d && mkdir /shared/research/d && touch /shared/research/d/f")
    assert rosa.run_cell("!stat -c '%a %g' /shared/research /shared/research/d /shared/research/d/f").split("\n") == [
        "2770 100",
        "2775 100",
        "664 100",
    ]


def test_a_folder_of_the_organisation(otto: Person, rosa: Person) -> None:
    assert rosa.run_cell("!echo all > /shared/organisation/news && cat /shared/organisation/news") == "all"
    assert otto.run_cell("!cat /shared/organisation/news") == "all"
    assert "Read-only" in otto.run_cell("!touch /shared/organisation/mine")


def test_a_new_home_has_the_files_of_the_skeleton(otto: Person) -> None:
    assert otto.run_cell("!cat ~/welcome.md ~/.config/tool/settings.ini").split() == ["Welcome", "[tool]"]


def test_texts_of_the_site(lena: Person) -> None:
    lena.open("/hub/home")
    expect(lena.page).to_have_title("Test Platform")
    expect(lena.page.locator(".announcement")).to_have_text("Maintenance on Friday")
    expect(lena.page.locator(".platform-footer")).to_have_text("Imprint")
    expect(lena.page.locator(".jpy-logo")).to_have_attribute("src", PICTURE)
    expect(lena.page.locator("link[rel=icon]")).to_have_attribute("href", PICTURE)
    expect(lena.page.locator("#start")).to_have_css("background-color", "rgb(10, 125, 79)")
    lena.screenshot("17-home")
    lena.profiles()
    expect(lena.page.locator(".announcement")).to_have_text("Big servers are dear")
    expect(lena.page.locator("p.lead i")).to_have_text("us")
    expect(lena.page.locator("#profile-item-small")).to_be_checked()  # though she has asked for another one last
    lena.screenshot("19-spawn")


def test_a_link_leads_to_no_other_home(otto: Person, rosa: Person) -> None:
    rosa.run_cell("import pathlib; pathlib.Path.home().joinpath('mine.txt').write_text('rosa')")
    otto.run_cell("!ln -sfn ../rosa /home/otto/peek; ln -sfn /platform-files/home/rosa /home/otto/peek2")
    assert otto.run_cell("!cat /home/otto/peek*/mine.txt 2>/dev/null | wc -c") == "0"
    assert "rosa" not in otto.run_cell("!ls /home")


def test_there_is_no_token_of_the_cluster(otto: Person) -> None:
    assert otto.run_cell("import os; print(os.path.exists('/var/run/secrets/kubernetes.io'))") == "False"
    assert otto.run_cell("!id -u; grep -E 'CapEff|NoNewPrivs' /proc/self/status | cut -f2").split() == [
        "1000",
        "0000000000000000",
        "1",
    ]


def test_what_a_server_does_not_reach(site: Site, otto: Person, rosa: Person) -> None:
    otto.run_cell(CONNECT)
    node = pod(site, "jupyter-otto")["status"]["hostIP"]
    for host, port in [
        (pod(site, "jupyter-rosa")["status"]["podIP"], 8888),
        ("kubernetes.default.svc", 443),
        (node, 6443),
        (node, 10250),
        ("169.254.169.254", 80),
        ("proxy-api", 8001),
        (pod(site, "keycloak-postgres")["status"]["podIP"], 5432),
        (pod(site, "keycloak-0")["status"]["podIP"], 9000),
    ]:
        assert otto.run_cell(f"print(reach({host!r}, {port}))") == "refused", (host, port)
    assert otto.run_cell("print(reach('hub', 8081))") == "reached"


def test_an_image_that_does_not_exist_is_explained(lena: Person) -> None:
    """The page tells what Kubernetes says, long before the time to start is over."""
    lena.open("/hub/spawn/lena")
    lena.page.locator("#profile-item-broken").check()
    lena.page.click("button[type=submit]")
    expect(lena.page.locator("#progress-log")).to_contain_text("cannot be pulled", timeout=120_000)
    lena.screenshot("15-image-missing")


def test_a_kernel_lives_on_while_the_hub_is_replaced(site: Site, rosa: Person) -> None:
    rosa.run_cell("kept = 'hub'")
    recreate(site, "hub-")
    assert rosa.run_cell("print(kept)") == "hub"


def test_a_kernel_lives_on_while_the_proxy_is_replaced(site: Site, rosa: Person) -> None:
    rosa.run_cell("kept = 'proxy'")
    recreate(site, "proxy-")
    wait_for(lambda: bool(rosa.page.evaluate("fetch('/user/rosa/api').then((answer) => answer.ok, () => false)")))
    # JupyterLab tries seven times to find its kernel again, after times that it draws by lot; a person loads the page anew.
    rosa.page.reload()
    rosa.wait_for_kernel()
    assert rosa.run_cell("print(kept)") == "proxy"
    rosa.screenshot("12-after-proxy")


def test_work_goes_on_while_keycloak_is_away_and_nobody_logs_in_again(site: Site, rosa: Person) -> None:
    rosa.run_cell("kept = 'keycloak'")
    keycloak = f"/apis/apps/v1/namespaces/{site.namespace}/statefulsets/keycloak"
    site.client.patch(keycloak, {"spec": {"replicas": 0}})
    try:
        wait_for(lambda: not pods(site, "keycloak-0"))
        time.sleep(20)  # together with the time that Keycloak takes to start, about a minute
        assert rosa.run_cell("print(kept)") == "keycloak"
    finally:
        site.client.patch(keycloak, {"spec": {"replicas": 1}})
    wait_for(lambda: is_ready(pod(site, "keycloak-0")) if pods(site, "keycloak-0") else False)
    rosa.open("/hub/home")
    expect(rosa.page.locator("#stop")).to_be_visible()
    rosa.open("/user/rosa/lab/tree/Untitled.ipynb")
    rosa.wait_for_kernel()
    assert rosa.run_cell("print(kept)") == "keycloak"


def test_a_start_that_the_hub_did_not_survive_can_be_made_again(site: Site, lena: Person) -> None:
    assert call(lena, "POST", "/hub/api/users/lena/server", {"profile": "small"})["status"] in (201, 202)
    old = pod(site, "hub-")["metadata"]
    site.client.delete(f"/api/v1/namespaces/{site.namespace}/pods/{old['name']}", grace_period=0)
    wait_for(lambda: any(is_ready(item) for item in pods(site, "hub-") if item["metadata"]["uid"] != old["uid"]))
    wait_for(lambda: is_settled(lena))  # the new hub looks first whether the pod has become a server
    lena.start_server("Small")


def test_the_proxy_says_so_while_the_hub_is_away(site: Site, people: People) -> None:
    nobody = people["nobody"]
    hub = f"/apis/apps/v1/namespaces/{site.namespace}/deployments/hub"
    site.client.patch(hub, {"spec": {"replicas": 0}})
    try:
        wait_for(lambda: not pods(site, "hub-"))
        nobody.open("/hub/home")
        expect(nobody.page.locator("#unavailable")).to_be_visible()
        nobody.screenshot("16-unavailable")
    finally:
        site.client.patch(hub, {"spec": {"replicas": 1}})
    expect(nobody.login_form).to_be_visible(timeout=90_000)  # the page tries again by itself


def test_metrics_need_the_token_of_the_service(site: Site, lena: Person) -> None:
    assert call(lena, "GET", "/hub/metrics")["status"] == 403
    metrics = call(lena, "GET", "/hub/metrics", token=site.secret("jupyterhub-services", "metrics"))
    assert "jupyterhub_running_servers" in metrics["text"]


def test_the_page_after_the_logout(people: People) -> None:
    lena = people["lena"]
    lena.log_in()
    lena.log_out()
    expect(lena.page.get_by_text(re.compile("logged out", re.IGNORECASE)).first).to_be_visible()
    lena.screenshot("13-logged-out")
    lena.page.click("#login-again")
    expect(lena.login_form).to_be_visible()


def test_somebody_without_a_group_can_use_another_account(people: People) -> None:
    gina = people["gina"]
    gina.log_in()
    expect(gina.page.locator("#forbidden")).to_be_visible()
    gina.screenshot("14-no-access")
    gina.page.click("#switch-account")
    gina.page.click("#login-again")
    expect(gina.login_form).to_be_visible()
