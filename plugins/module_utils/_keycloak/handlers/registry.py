# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""The handlers of all kinds."""

from __future__ import annotations

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers import (
    client_scopes,
    clients,
    federation,
    flows,
    groups,
    identity_providers,
    localization,
    organizations,
    required_actions,
    roles,
    settings,
    user_profile,
    users,
)
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.handlers.base import Handler

_HANDLERS: tuple[type[Handler], ...] = (
    settings.RealmHandler,
    client_scopes.ClientScopeHandler,
    client_scopes.ClientScopeMapperHandler,
    client_scopes.DefaultClientScopeHandler,
    roles.RealmRoleHandler,
    clients.ClientHandler,
    clients.ClientMapperHandler,
    clients.ClientRoleHandler,
    roles.RoleCompositeHandler,
    groups.GroupHandler,
    groups.GroupRoleHandler,
    groups.DefaultGroupHandler,
    clients.ServiceAccountRoleHandler,
    users.UserHandler,
    users.UserGroupHandler,
    users.UserRoleHandler,
    users.FederatedIdentityHandler,
    flows.AuthenticationFlowHandler,
    flows.FlowBindingHandler,
    required_actions.RequiredActionHandler,
    user_profile.UserProfileHandler,
    user_profile.UserProfileAttributeHandler,
    user_profile.UserProfileGroupHandler,
    localization.LocalizationHandler,
    identity_providers.IdentityProviderHandler,
    identity_providers.IdentityProviderMapperHandler,
    federation.UserFederationHandler,
    federation.UserFederationMapperHandler,
    organizations.OrganizationHandler,
    organizations.OrganizationMemberHandler,
    organizations.OrganizationProviderHandler,
)

HANDLERS: dict[str, Handler] = {handler.kind: handler() for handler in _HANDLERS}
