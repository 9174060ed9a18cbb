"""Reading, checking, showing and ordering manifests."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any, ClassVar

import pytest

from ansible_collections.qhub.platform.plugins.module_utils._kube import applyset, order
from ansible_collections.qhub.platform.plugins.module_utils._kube.applyset import Contents, ForeignSetError, Parent
from ansible_collections.qhub.platform.plugins.module_utils._kube.definitions import (
    Definition,
    Key,
    duplicates,
    normalise,
)
from ansible_collections.qhub.platform.plugins.module_utils._kube.masking import Masker, without_secrets
from ansible_collections.qhub.platform.plugins.module_utils._kube.model import Item
from ansible_collections.qhub.platform.plugins.module_utils._kube.showing import dump
from ansible_collections.qhub.platform.plugins.plugin_utils.manifests import ManifestError, load_all


def load(text: str) -> list[Any]:
    return [definition.obj for definition in load_all(text, "file")]


class TestYaml:
    def test_guesses_that_kubectl_does_not_make(self) -> None:
        text = "date: 2026-01-01\nbase60: 22:22\nN: y\nequals: =\n"
        assert load(text) == [{"date": "2026-01-01", "base60": "22:22", "N": "y", "equals": "="}]

    def test_guesses_that_kubectl_makes_too(self) -> None:
        text = "mode: 0644\nhex: 0x1F\nyes: yes\noff: off\nfloat: 1e3\n"
        assert load(text) == [{"mode": 420, "hex": 31, True: True, False: False, "float": 1000.0}]

    def test_documents_and_their_names(self) -> None:
        assert [entry.source for entry in load_all("a: 1\n---\n---\nb: 2\n", "file")] == [
            "file, document 1",
            "file, document 2",
            "file, document 3",
        ]

    def test_merge_keys(self) -> None:
        assert load("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n")[0]["b"] == {"x": 1, "y": 3}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a: 1\nb: hunter2\na: 2", "file, line 3 of the rendered text, column 1: the key 'a' stands here twice"),
            ("a: [hunter2", "file, line"),
            ("a: !python/name:os.system hunter2", "could not determine a constructor"),
            ("a: hunter2\x07", "control characters"),
        ],
    )
    def test_errors_say_where_and_quote_nothing(self, text: str, message: str) -> None:
        with pytest.raises(ManifestError, match=message) as caught:
            load(text)
        assert "hunter2" not in str(caught.value)

    def test_dump(self) -> None:
        assert dump({"b": "x\ny\n", "a": ["ü"], "c": {}}) == "a:\n- ü\nb: |\n  x\n  y\nc: {}\n"
        assert dump({}) == ""

    def test_dump_without_pyyaml(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "yaml", None)
        assert json.loads(dump({"b": "ü", "a": [1]})) == {"a": [1], "b": "ü"}


def problems(obj: Any) -> list[str]:
    return normalise([Definition(obj, "here")])[1]


def valid(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "n"}, **fields}


class TestDefinitions:
    def test_nulls_vanish_from_mappings_only(self) -> None:
        objects, found = normalise([Definition(valid(data={"a": None, "b": [None, {"c": None}]}), "here")])
        assert found == []
        assert objects[0][0]["data"] == {"b": [None, {}]}

    def test_string_data_becomes_data(self) -> None:
        secret = valid(kind="Secret", data={"a": "YQ =\n=", "b": "Yg=="}, stringData={"b": "ü"})
        objects, found = normalise([Definition(secret, "here")])
        assert found == []
        assert objects[0][0]["data"] == {"a": "YQ==", "b": base64.b64encode("ü".encode()).decode()}
        assert "stringData" not in objects[0][0]

    @pytest.mark.parametrize(
        ("obj", "message"),
        [
            ("text", "must be a mapping"),
            ([1], "must be a mapping"),
            ({"kind": "X", "metadata": {"name": "n"}}, "`apiVersion` is missing"),
            ({"apiVersion": "v1", "kind": "X"}, "`metadata` is missing"),
            (valid(metadata={}), "`metadata.name` is missing"),
            (valid(metadata={"generateName": "x-"}), "cannot be planned"),
            (valid(metadata={"name": 5}), "`metadata.name` is missing or not a string"),
            (valid(metadata={"name": "../x"}), "not a valid name"),
            (valid(metadata={"name": "n", "namespace": "a/b"}), "`metadata.namespace` is not a valid name"),
            (valid(metadata={"name": "n", "resourceVersion": "1"}), "is the server's own"),
            (valid(metadata={"name": "n", "labels": {"a": 1}}), "`metadata.labels.a` must be a string, not a number"),
            (valid(metadata={"name": "n", "annotations": ["x"]}), "`metadata.annotations` must be a mapping"),
            (valid(data={1: "x"}), "the key 1 in `data` is a number"),
            (valid(data={"x": float("nan")}), "which JSON cannot say"),
            (valid(data={"x": {1, 2}}), "which JSON cannot say"),
            (valid(data={"x": "\ud800"}), "half of a surrogate pair"),
            (valid(kind="Secret", data={"x": "?"}), "`data.x` is not base64"),
            (valid(kind="Secret", stringData={"x": 1}), "`stringData.x` must be a string"),
            (valid(kind="Secret", stringData="x"), "`stringData` must be a mapping"),
        ],
    )
    def test_problems(self, obj: Any, message: str) -> None:
        found = problems(obj)
        assert len(found) == 1
        assert message in found[0]
        assert found[0].startswith("here")

    def test_all_problems_of_one_object(self) -> None:
        assert len(problems({"kind": 1, "metadata": {"labels": {"a": True}}})) == 4

    def test_lists_are_unfolded(self) -> None:
        objects, _found = normalise([Definition({"apiVersion": "v1", "kind": "List", "items": [valid(), {}]}, "f")])
        assert [source for _obj, source in objects] == ["f, items[0]"]

    def test_duplicates(self) -> None:
        key = Key("", "ConfigMap", "ns", "n")
        assert duplicates([(key, "a"), (key, "b")]) == ["ConfigMap ns/n is defined 2 times: a; b"]


class TestMasking:
    secret: ClassVar[dict[str, Any]] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "n",
            "uid": "u",
            "managedFields": [{}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": '{"data":{"a":"aHVudGVyMg=="}}'},
        },
        "data": {"a": "aHVudGVyMg==", "b": "aHVudGVyMg==", "c": "b3RoZXI="},
        "status": {"x": 1},
    }

    def test_values_are_hidden_but_comparable(self) -> None:
        shown = Masker().presentable(self.secret)
        assert "hunter2" not in str(shown)
        assert "aHVu" not in str(shown)
        assert shown["data"]["a"] == shown["data"]["b"] != shown["data"]["c"]
        assert shown["metadata"] == {"name": "n"}
        assert "status" not in shown

    def test_two_runs_cannot_be_compared(self) -> None:
        assert Masker().presentable(self.secret)["data"] != Masker().presentable(self.secret)["data"]

    def test_other_objects_are_shown(self) -> None:
        assert Masker().presentable(valid(data={"a": "x"}))["data"] == {"a": "x"}
        assert Masker().presentable(None) == {}

    def test_messages(self) -> None:
        text = without_secrets("bad value hunter2 (aHVudGVyMg==)", [self.secret, None])
        assert text == "bad value ******** (********)"


class TestApplySet:
    parent = Parent("Secret", "web", "shop")

    def test_id_is_the_specifications(self) -> None:
        assert (
            self.parent.id == "applyset-ZhFTnyMOfABWycOd1915Uf0UKi6elg7a8lTmmXNRgSQ-v1"
        )  # sha256 of "web.shop.Secret."

    def test_what_is_written_can_be_read(self) -> None:
        contents = Contents(frozenset({"Deployment.apps", "Secret"}), frozenset({"shop", "far"}))
        manifest = self.parent.manifest(contents)
        assert manifest["metadata"]["annotations"][applyset.GROUP_KINDS] == "Deployment.apps,Secret"
        assert manifest["metadata"]["annotations"][applyset.NAMESPACES] == "far"
        assert applyset.read_parent(self.parent, manifest).group_kinds == contents.group_kinds
        assert applyset.says(manifest, manifest)
        assert not applyset.says(manifest, self.parent.manifest(Contents()))

    def test_foreign_parents(self) -> None:
        live = self.parent.manifest(Contents())
        live["metadata"]["annotations"][applyset.TOOLING] = "kubectl/v1.34.0"
        with pytest.raises(ForeignSetError, match="is managed by kubectl"):
            applyset.read_parent(self.parent, live)
        live = self.parent.manifest(Contents())
        live["metadata"]["labels"] = {applyset.ID_LABEL: "applyset-other-v1"}
        with pytest.raises(ForeignSetError, match="its id must be"):
            applyset.read_parent(self.parent, live)
        with pytest.raises(ForeignSetError, match="is not an ApplySet's parent"):
            applyset.read_parent(self.parent, {"metadata": {}})

    def test_group_kinds(self) -> None:
        assert applyset.split_group_kind("Role.rbac.authorization.k8s.io") == ("rbac.authorization.k8s.io", "Role")
        assert applyset.split_group_kind("Secret") == ("", "Secret")


def test_order() -> None:
    kinds = [
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ("traefik.io", "IngressRoute"),
        ("apps", "Deployment"),
        ("", "Service"),
        ("", "Secret"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("", "Namespace"),
    ]
    items = [Item(Key(group, kind, "", kind.lower()), None) for group, kind in kinds]
    steps = [[item.key.kind for item in step] for step in order.in_steps(items)]
    assert steps == [[kind] for _group, kind in reversed(kinds)]
    assert json.dumps(steps)
