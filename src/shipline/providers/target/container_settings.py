"""What a container is run by: a table of `shipline.toml`, and the Compose service that it may name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from shipline.clients.container_engine import Login, checked_engine_address
from shipline.clients.named_secrets import named_secret
from shipline.domain.errors import ConfigurationError
from shipline.providers.target.compose_parts import NETWORK
from shipline.providers.target.container_template import (
    REPOSITORY,
    VARIABLE,
    Template,
    checked_volumes,
    read_compose,
    without_tag,
)

BRIDGE = "bridge"


@dataclass(frozen=True, slots=True)
class ContainerSettings:
    """How a container is run.

    `image` is the repository of the images, without a tag. `port` is what the service listens on in its container.
    `engine` is `unix:///…`, or http on loopback. `command` replaces the image's; in it and in `environment`,
    {port} and {version} are filled in. `volumes` are NAME:/PATH or /PATH:/PATH. `network` is the engine's network;
    in "host" the service must listen on {port}, which differs from copy to copy; "bridge" leaves it to the service of
    the Compose file. `compose_file` and `service` name a service that the rest is taken from. Healthy is: `health_path`
    answers 2xx to GET, and a health check of the container's own, if any, has not failed. `health_timeout_s` is how
    long a copy may take until then, `stop_timeout_s` how long it may take to end when asked; in seconds. `username`
    goes with the password in the environment variable that `password_environment` names, to pull images.
    """

    image: str = ""
    port: int = 0
    engine: str = "unix:///var/run/docker.sock"
    command: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    network: str = BRIDGE
    compose_file: str = ""
    service: str = ""
    health_path: str = "/healthz"
    health_timeout_s: int = 30
    stop_timeout_s: int = 10
    username: str = ""
    password_environment: str = ""

    def __post_init__(self) -> None:
        """Refuse what can only be a mistake."""
        checked_engine_address(self.engine)
        checked_volumes(self.volumes, hosts=True)
        if (self.compose_file == "") != (self.service == ""):
            raise ConfigurationError("compose_file and service go together")
        if self.compose_file == "" and (self.image == "" or self.port == 0):
            raise ConfigurationError("a container needs image and port, or a compose_file")
        check_image(self.image)
        check_port(self.port)
        if not all(VARIABLE.fullmatch(name) for name in self.environment):
            raise ConfigurationError("environment: a variable's name is letters, digits and _")
        if not NETWORK.fullmatch(self.network):
            raise ConfigurationError(f"network: {self.network[:80]!r} is not the name of one")
        if not re.fullmatch(r"/[\x21-\x7e]{0,500}", self.health_path):
            raise ConfigurationError(f"health_path: {self.health_path[:80]!r} is not the path of a URL")
        if self.health_timeout_s < 1 or self.stop_timeout_s < 1:
            raise ConfigurationError("health_timeout_s and stop_timeout_s are 1 second or more")
        if (self.username == "") != (self.password_environment == ""):
            raise ConfigurationError("username and password_environment go together")

    def template(self, root: Path) -> Template:
        """What containers are made from: the Compose service, if any, and what is set over it. ConfigurationError."""
        found = Template()
        if self.compose_file != "":
            found = read_compose(root, self.compose_file, self.service)
        image, port = self.image or found.image, self.port or found.port
        check_image(image)
        check_port(port)
        if image == "" or port == 0:
            raise ConfigurationError(
                f"{self.compose_file}: the service {self.service} has no image, or exposes no port",
                todo="name them there (image, expose), or in shipline.toml (image, port)",
            )
        environment = tuple({**dict(found.environment), **self.environment}.items())
        return replace(
            found,
            image=image,
            port=port,
            command=self.command or found.command,
            environment=environment,
            volumes=(*found.volumes, *self.volumes),
            network=found.network if found.network and self.network == BRIDGE else self.network,
        )

    def login(self) -> Login | None:
        """Who pulls images, None where anybody may. ConfigurationError where the password is not there."""
        variable = self.password_environment
        if variable == "":
            return None
        return Login(self.username, named_secret(variable))


def check_image(image: str) -> None:
    """Refuse (ConfigurationError) what is no repository; "" is none yet."""
    if image != "" and (without_tag(image) != image or not REPOSITORY.fullmatch(image)):
        raise ConfigurationError(
            f"image: {image[:80]!r} is not the name of a repository",
            todo="name it without a tag or digest: which image of it is run, the release says",
        )


def check_port(port: int) -> None:
    """Refuse (ConfigurationError) what is no port; 0 is none yet."""
    if not 0 <= port < 65536:
        raise ConfigurationError(f"port: {port} is not a port")
