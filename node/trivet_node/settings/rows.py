"""A setting as one option of redis.conf: its names, its kind, and whether it may change while the node runs."""

from collections.abc import Iterable
from typing import Any, Final

import attrs

from trivet_node.settings.kinds import Kind, SettingError


@attrs.frozen
class Setting:
    """One option. `name` is empty until Config gives it: the attribute's name with dashes."""

    kind: Kind[Any]
    default: Any
    aliases: tuple[str, ...] = ()
    # Whether CONFIG SET may change it; a protected one needs enable-protected-configs as well.
    mutable: bool = True
    protected: bool = False
    # Why nothing in this node looks at it, empty where something does; `does` is the value of what it does anyway.
    why: str = ""
    does: Any = None
    # Where only one value is possible so far: why.
    only_default: str = ""
    name: str = ""
    attribute: str = ""

    def parse(self, words: list[str], present: Any) -> Any:
        """Return the value of the words behind the option; SettingError where they have none."""
        if not self.kind.many_words and len(words) != 1:
            raise SettingError("wrong number of arguments")
        value = self.kind.parse(words, present)
        if self.only_default and value != self.default:
            raise SettingError(f"{self.only_default}: only '{self.kind.show(self.default)}' is possible")
        return value


_SETTING: Final = "setting"


def setting(
    kind: Kind[Any],
    default: Any,
    *aliases: str,
    name: str = "",
    mutable: bool = True,
    protected: bool = False,
    why: str = "",
    does: Any = None,
    only_default: str = "",
) -> Any:
    """Return an attribute of Config; the arguments are those of Setting. Without `does` the default is what is done."""
    does = default if does is None else does
    row = Setting(kind, default, aliases, mutable, protected, why, does, only_default, name)
    return attrs.field(default=default, metadata={_SETTING: row})


def idle_settings(rows: Iterable[Setting], values: object) -> str:
    """Return what to tell of those rows whose values have no effect: their names, by reason; empty if there are none.

    `values` has the attributes of the rows.
    """
    names: dict[str, list[str]] = {}
    for row in rows:
        if row.why and getattr(values, row.attribute) != row.does:
            names.setdefault(row.why, []).append(row.name)
    return "; ".join(f"{', '.join(sorted(found))} ({why})" for why, found in sorted(names.items()))


def settings_of(config_class: type) -> dict[str, Setting]:
    """Return the settings of a class by name, aliases included."""
    found: dict[str, Setting] = {}
    for attribute in attrs.fields(config_class):
        row: Setting | None = attribute.metadata.get(_SETTING)
        if row is not None:
            name = row.name or attribute.name.replace("_", "-")
            row = attrs.evolve(row, name=name, attribute=attribute.name)
            for spelling in (name, *row.aliases):
                found[spelling] = row
    return found
