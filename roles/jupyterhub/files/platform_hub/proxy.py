"""The proxy keeps its routes in memory, and a new one knows none: the hub has to notice soon."""

from __future__ import annotations

from typing import Any

from jupyterhub.objects import Hub
from jupyterhub.proxy import ConfigurableHTTPProxy
from tornado.httpclient import HTTPClientError
from tornado.ioloop import PeriodicCallback
from traitlets import Float


class WatchfulProxy(ConfigurableHTTPProxy):
    """Tells a new proxy all routes within seconds. JupyterHub itself looks once a minute."""

    look_every = Float(3, config=True, help="Seconds between two looks at the proxy.")
    _watch: PeriodicCallback | None = None

    def add_hub_route(self, hub: Hub) -> Any:
        """Begin to watch with the first route, which is the hub's own."""
        if self._watch is None:
            self._watch = PeriodicCallback(self.restore, 1000 * self.look_every)
            self._watch.start()
        return super().add_hub_route(hub)

    async def restore(self) -> None:
        """Tell the proxy everything if it does not even know the hub."""
        try:
            routes = await self.get_all_routes()
        except (HTTPClientError, OSError, TimeoutError) as error:
            self.log.warning("The proxy does not answer: %s", error)
            return
        if self.app.hub.routespec not in routes:
            self.log.warning("The proxy is a new one; it is told all routes")
            await self.check_routes(self.app.users, self.app._service_map, routes)
