"""What builds are told of the machine, and where it is read from."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.qhub.platform.plugins.module_utils._images.machine import CA_IN_IMAGE, cache_folder, look


def test_a_plain_machine_has_nothing_to_tell(tmp_path: Path) -> None:
    machine = look({}, tmp_path, tmp_path)
    assert machine.pip == {}
    assert machine.npm_registry is None
    assert machine.apt_proxy is None
    assert "/etc/apt/sources.list" not in machine.mounted_files()


def test_settings_are_read_from_where_the_tools_keep_theirs(tmp_path: Path) -> None:
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").write_text("[global]\nindex-url = https://pip.example.org/50%25/simple\n")
    (tmp_path / ".npmrc").write_text("fund=false\nregistry=https://npm.example.org/\n")
    (tmp_path / "etc/apt/apt.conf.d").mkdir(parents=True)
    (tmp_path / "etc/apt/apt.conf.d/01proxy").write_text('Acquire::http::Proxy "http://apt.example.org:3142";\n')
    files = look({}, tmp_path, tmp_path).mounted_files()
    assert "index-url = https://pip.example.org/50%25/simple" in files["/etc/pip.conf"]
    assert "registry=https://npm.example.org/" in files["/root/.npmrc"]
    assert "apt.example.org:3142" in files["/etc/apt/apt.conf.d/90machine"]


def test_the_environment_wins_over_files(tmp_path: Path) -> None:
    (tmp_path / ".npmrc").write_text("registry=https://file.example.org/\n")
    environment = {"NPM_CONFIG_REGISTRY": "https://env.example.org/", "PIP_INDEX_URL": "https://env.example.org/simple"}
    machine = look(environment, tmp_path, tmp_path)
    assert machine.npm_registry == "https://env.example.org/"
    assert machine.pip == {"index-url": "https://env.example.org/simple"}


def test_a_ca_bundle_reaches_pip_and_npm(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.crt"
    bundle.write_text("-----BEGIN CERTIFICATE-----")
    machine = look({"SSL_CERT_FILE": str(bundle)}, tmp_path, tmp_path)
    assert machine.ca_bundle == bundle
    files = machine.mounted_files()
    assert f"cert = {CA_IN_IMAGE}" in files["/etc/pip.conf"]
    assert f"cafile={CA_IN_IMAGE}" in files["/root/.npmrc"]


def test_the_cache_is_where_one_says_or_where_caches_are(tmp_path: Path) -> None:
    assert cache_folder({"PLATFORM_CACHE": "/somewhere"}, tmp_path) == Path("/somewhere")
    assert cache_folder({"XDG_CACHE_HOME": "/caches"}, tmp_path) == Path("/caches/qhub-platform")
    assert cache_folder({}, tmp_path) == tmp_path / ".cache/qhub-platform"


def test_a_mirror_of_debian_is_used_with_its_security_updates(tmp_path: Path) -> None:
    machine = look({"PLATFORM_DEBIAN_MIRROR": "https://mirror.example.org/"}, tmp_path, tmp_path)
    assert machine.mounted_files()["/etc/apt/sources.list"].splitlines() == [
        "deb https://mirror.example.org/debian bookworm main",
        "deb https://mirror.example.org/debian bookworm-updates main",
        "deb https://mirror.example.org/debian-security bookworm-security main",
    ]
