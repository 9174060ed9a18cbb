# Copyright: Contributors to the qhub.platform project
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
"""What kinds of resources a realm has, and how the fields of each are compared: the one table that knows Keycloak's shapes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.qhub.platform.plugins.module_utils._keycloak.model import Key, Ref, Secret
from ansible_collections.qhub.platform.plugins.module_utils._keycloak.paths import parent_path

# Keycloak gives and takes these itself, with the service account of a client: nobody else's business.
AUTOMATIC_SCOPES = frozenset(("service_account",))

Needs = Callable[[Key], tuple[Ref, ...]]


@dataclass(frozen=True)
class Kind:
    """How one kind of resource is written and compared.

    `fields` maps Keycloak's field names to the type a site writes. Of these, `sets` are lists without order, `texts` are
    maps of texts, `lists` maps of lists of texts and `maps` maps of anything, of which only the named keys are compared;
    `initial` fields are written when the resource is created and never again. `needs` names what has to exist first.
    """

    name: str
    section: str
    fields: Mapping[str, str] = field(default_factory=dict)
    sets: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    maps: frozenset[str] = frozenset()
    initial: frozenset[str] = frozenset()
    needs: Needs = lambda _key: ()

    @property
    def by_key(self) -> frozenset[str]:
        """The fields that are compared key by key."""
        return self.texts | self.lists | self.maps


def _fields(**by_type: str) -> dict[str, str]:
    return {name: kind for kind, names in by_type.items() for name in names.split()}


def _one_of(kind: str) -> Needs:
    return lambda key: (Ref(kind, key[:1]),)


def _role_ref(source: str, name: str) -> Ref:
    return Ref("client_role", (source, name)) if source else Ref("realm_role", (name,))


def _group_parent(key: Key) -> tuple[Ref, ...]:
    parent = parent_path(key[0])
    return (Ref("group", (parent,)),) if parent else ()


def _holder_and_role(kind: str) -> Needs:
    return lambda key: (Ref(kind, key[:1]), _role_ref(key[1], key[2]))


_REALM = Kind(
    "realm",
    "settings",
    _fields(
        str="""displayName displayNameHtml defaultSignatureAlgorithm sslRequired bruteForceStrategy passwordPolicy
            otpPolicyType otpPolicyAlgorithm webAuthnPolicyRpEntityName webAuthnPolicyRpId
            webAuthnPolicyAttestationConveyancePreference webAuthnPolicyAuthenticatorAttachment
            webAuthnPolicyRequireResidentKey webAuthnPolicyResidentKey webAuthnPolicyUserVerificationRequirement
            webAuthnPolicyPasswordlessRpEntityName webAuthnPolicyPasswordlessRpId
            webAuthnPolicyPasswordlessAttestationConveyancePreference
            webAuthnPolicyPasswordlessAuthenticatorAttachment webAuthnPolicyPasswordlessRequireResidentKey
            webAuthnPolicyPasswordlessResidentKey webAuthnPolicyPasswordlessUserVerificationRequirement
            webAuthnPolicyPasswordlessMediation loginTheme accountTheme adminTheme emailTheme defaultLocale""",
        bool="""enabled revokeRefreshToken offlineSessionMaxLifespanEnabled registrationAllowed
            registrationEmailAsUsername rememberMe verifyEmail loginWithEmailAllowed duplicateEmailsAllowed
            resetPasswordAllowed editUsernameAllowed bruteForceProtected permanentLockout otpPolicyCodeReusable
            webAuthnPolicyAvoidSameAuthenticatorRegister webAuthnPolicyPasswordlessAvoidSameAuthenticatorRegister
            webAuthnPolicyPasswordlessPasskeysEnabled eventsEnabled adminEventsEnabled adminEventsDetailsEnabled
            internationalizationEnabled userManagedAccessAllowed organizationsEnabled verifiableCredentialsEnabled
            adminPermissionsEnabled""",
        int="""notBefore refreshTokenMaxReuse accessTokenLifespan accessTokenLifespanForImplicitFlow
            ssoSessionIdleTimeout ssoSessionMaxLifespan ssoSessionIdleTimeoutRememberMe
            ssoSessionMaxLifespanRememberMe offlineSessionIdleTimeout offlineSessionMaxLifespan
            clientSessionIdleTimeout clientSessionMaxLifespan clientOfflineSessionIdleTimeout
            clientOfflineSessionMaxLifespan accessCodeLifespan accessCodeLifespanUserAction accessCodeLifespanLogin
            actionTokenGeneratedByAdminLifespan actionTokenGeneratedByUserLifespan oauth2DeviceCodeLifespan
            oauth2DevicePollingInterval maxTemporaryLockouts maxFailureWaitSeconds minimumQuickLoginWaitSeconds
            waitIncrementSeconds quickLoginCheckMilliSeconds maxDeltaTimeSeconds failureFactor
            maxSecondaryAuthFailures otpPolicyInitialCounter otpPolicyDigits otpPolicyLookAheadWindow otpPolicyPeriod
            webAuthnPolicyCreateTimeout webAuthnPolicyPasswordlessCreateTimeout eventsExpiration""",
        list="""webAuthnPolicySignatureAlgorithms webAuthnPolicyAcceptableAaguids webAuthnPolicyExtraOrigins
            webAuthnPolicyPasswordlessSignatureAlgorithms webAuthnPolicyPasswordlessAcceptableAaguids
            webAuthnPolicyPasswordlessExtraOrigins eventsListeners enabledEventTypes supportedLocales""",
        dict="attributes browserSecurityHeaders smtpServer",
    ),
    sets=frozenset(("eventsListeners", "enabledEventTypes", "supportedLocales", "webAuthnPolicyAcceptableAaguids")),
    texts=frozenset(("attributes", "browserSecurityHeaders", "smtpServer")),
)

_MAPPER = {
    **_fields(str="protocol protocolMapper", dict="config"),
}

_KINDS = (
    _REALM,
    Kind(
        "client_scope",
        "client_scopes",
        _fields(str="description protocol", dict="attributes"),
        texts=frozenset(("attributes",)),
    ),
    Kind("client_scope_mapper", "client_scopes", _MAPPER, texts=frozenset(("config",)), needs=_one_of("client_scope")),
    Kind("default_client_scope", "client_scopes", needs=lambda key: (Ref("client_scope", key[1:]),)),
    Kind(
        "realm_role",
        "realm_roles",
        _fields(str="description", dict="attributes"),
        lists=frozenset(("attributes",)),
    ),
    Kind(
        "authentication_flow",
        "authentication_flows",
        _fields(str="description providerId", list="executions", bool="leftover"),
    ),
    Kind("flow_binding", "settings", _fields(str="flow")),
    Kind(
        "required_action",
        "required_actions",
        _fields(str="name providerId", bool="enabled defaultAction", int="priority", dict="config"),
        texts=frozenset(("config",)),
    ),
    Kind("user_profile", "user_profile", _fields(str="unmanagedAttributePolicy")),
    Kind(
        "user_profile_group",
        "user_profile",
        _fields(str="displayHeader displayDescription", dict="annotations"),
        maps=frozenset(("annotations",)),
    ),
    Kind(
        "user_profile_attribute",
        "user_profile",
        _fields(
            str="displayName group defaultValue",
            bool="multivalued",
            dict="annotations validations permissions required selector",
        ),
        maps=frozenset(("annotations", "validations")),
    ),
    Kind("localization", "localization", _fields(str="value")),
    Kind(
        "identity_provider",
        "identity_providers",
        _fields(
            str="""displayName providerId firstBrokerLoginFlowAlias postBrokerLoginFlowAlias
                updateProfileFirstLoginMode""",
            bool="""enabled trustEmail storeToken addReadTokenRoleOnCreate authenticateByDefault linkOnly
                hideOnLogin""",
            dict="config",
        ),
        texts=frozenset(("config",)),
    ),
    Kind(
        "identity_provider_mapper",
        "identity_providers",
        _fields(str="identityProviderMapper", dict="config"),
        texts=frozenset(("config",)),
        needs=_one_of("identity_provider"),
    ),
    Kind(
        "client",
        "clients",
        _fields(
            str="name description rootUrl adminUrl baseUrl clientAuthenticatorType secret protocol",
            bool="""surrogateAuthRequired enabled alwaysDisplayInConsole bearerOnly consentRequired standardFlowEnabled
                implicitFlowEnabled directAccessGrantsEnabled serviceAccountsEnabled authorizationServicesEnabled
                publicClient frontchannelLogout fullScopeAllowed""",
            int="notBefore nodeReRegistrationTimeout",
            list="redirectUris webOrigins defaultClientScopes optionalClientScopes",
            dict="attributes authenticationFlowBindingOverrides",
        ),
        sets=frozenset(("redirectUris", "webOrigins", "defaultClientScopes", "optionalClientScopes")),
        texts=frozenset(("attributes", "authenticationFlowBindingOverrides")),
    ),
    Kind("client_mapper", "clients", _MAPPER, texts=frozenset(("config",)), needs=_one_of("client")),
    Kind(
        "client_role",
        "clients",
        _fields(str="description", dict="attributes"),
        lists=frozenset(("attributes",)),
        needs=_one_of("client"),
    ),
    # key: source of the parent role (empty: realm), parent role, source of the child, child
    Kind(
        "role_composite",
        "role_composites",
        needs=lambda key: (_role_ref(key[0], key[1]), _role_ref(key[2], key[3])),
    ),
    Kind(
        "group",
        "groups",
        _fields(str="description", dict="attributes"),
        lists=frozenset(("attributes",)),
        needs=_group_parent,
    ),
    # key: path of the group, source of the role (empty: realm), role
    Kind("group_role", "group_roles", needs=_holder_and_role("group")),
    Kind("default_group", "default_groups", needs=_one_of("group")),
    # key: client, source of the role (empty: realm), role
    Kind("service_account_role", "clients", needs=_holder_and_role("client")),
    Kind(
        "user_federation",
        "user_federation",
        _fields(str="providerId", dict="config"),
        lists=frozenset(("config",)),
    ),
    Kind(
        "user_federation_mapper",
        "user_federation",
        _fields(str="providerId", dict="config"),
        lists=frozenset(("config",)),
        needs=_one_of("user_federation"),
    ),
    Kind(
        "user",
        "users",
        _fields(
            str="email firstName lastName",
            bool="enabled emailVerified",
            list="requiredActions",
            dict="attributes",
        ),
        sets=frozenset(("requiredActions",)),
        lists=frozenset(("attributes",)),
        initial=frozenset(("password", "passwordTemporary", "requiredActions")),
    ),
    # key: user, path of the group
    Kind("user_group", "user_groups", needs=lambda key: (Ref("user", key[:1]), Ref("group", key[1:]))),
    # key: user, source of the role (empty: realm), role
    Kind("user_role", "user_roles", needs=_holder_and_role("user")),
    # key: user, alias of the identity provider
    Kind(
        "federated_identity",
        "users",
        _fields(str="userId userName"),
        needs=lambda key: (Ref("user", key[:1]), Ref("identity_provider", key[1:])),
    ),
    Kind(
        "organization",
        "organizations",
        _fields(str="name description redirectUrl", bool="enabled", list="domains", dict="attributes"),
        sets=frozenset(("domains",)),
        lists=frozenset(("attributes",)),
    ),
    # key: organization, user
    Kind(
        "organization_member",
        "organizations",
        needs=lambda key: (Ref("organization", key[:1]), Ref("user", key[1:])),
    ),
    # key: organization, alias of the identity provider
    Kind(
        "organization_provider",
        "organizations",
        needs=lambda key: (Ref("organization", key[:1]), Ref("identity_provider", key[1:])),
    ),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _KINDS}
ORDER: dict[str, int] = {kind.name: position for position, kind in enumerate(_KINDS)}
SECTIONS: tuple[str, ...] = tuple(dict.fromkeys(kind.section for kind in _KINDS))
# Settings belong to the realm itself and are never removed.
PRUNABLE: tuple[str, ...] = tuple(section for section in SECTIONS if section != "settings")


def snake(name: str) -> str:
    """`redirectUris` -> `redirect_uris`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def needs(ref: Ref) -> tuple[Ref, ...]:
    """What has to exist before the resource can."""
    return KINDS[ref.kind].needs(ref.key)


def normalise(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    """The known fields in the one form in which both sides are compared."""
    return {name: _normal(kind, name, values[name]) for name in kind.fields if name in values}


def _normal(kind: Kind, name: str, value: Any) -> Any:
    if value is None or isinstance(value, Secret):
        return value
    if name in kind.texts:
        return {str(key): text(item) for key, item in value.items()}
    if name in kind.lists:
        return {str(key): texts(item) for key, item in value.items()}
    if name in kind.sets:
        return sorted({str(item) for item in value})
    return value


def text(value: Any) -> Any:
    """A value of a map of texts: Keycloak keeps `true` as "true" and 5 as "5"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else value


def texts(value: Any) -> Any:
    """A value of a map of lists; one value stands for a list of one."""
    if value is None or not isinstance(value, (str, int, float, list, tuple)):
        return value  # nothing, or a secret
    items = value if isinstance(value, (list, tuple)) else [value]
    return [str(text(item)) for item in items]
