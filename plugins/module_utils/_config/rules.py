# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""All rules that go beyond a single value. Each takes the config and yields what contradicts itself."""

from __future__ import annotations

from ansible_collections.qhub.platform.plugins.module_utils._config import rules_ingress, rules_people, rules_pods
from ansible_collections.qhub.platform.plugins.module_utils._config.config import Rule

RULES: tuple[Rule, ...] = (
    rules_people.groups_have_names,
    rules_people.names_are_unique,
    rules_people.one_default,
    rules_people.groups_exist,
    rules_people.users_are_in_a_group,
    rules_people.people_can_sign_up,
    rules_pods.requests_fit_limits,
    rules_pods.overrides_name_images,
    rules_pods.images_can_be_had,
    rules_pods.images_of_servers_exist,
    rules_pods.one_scheduler_places_servers,
    rules_ingress.ports_differ,
    rules_ingress.node_ports_are_free,
    rules_ingress.local_ports_lead_to_traefik,
    rules_ingress.certificate_can_be_had,
    rules_ingress.servers_have_a_certificate,
    rules_ingress.proxies_are_named,
)
