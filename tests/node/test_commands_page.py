"""docs/commands.md, which is made from the rows."""

from docs.commands_page import PAGE, commands_page
from trivet_node.command import READONLY, Command, container
from trivet_node.commands.table import COMMANDS


def test_the_page_says_what_the_rows_say() -> None:
    assert PAGE.read_text() == commands_page(COMMANDS), "make docs writes it again"


def test_arguments_are_written_as_in_manuals() -> None:
    notation = (
        'key:key#0 id:oneof(any:pure-token="*" some:string) limit:integer=LIMIT? order:oneof?(up:pure-token=UP '
        "down:pure-token=DOWN) get:pattern=GET?*+ pair:block*(field:string value:string) keys:key=KEYS?*"
    )
    command = Command(
        *("a|b", -3, container, READONLY), group="string", since="1.0.0", summary="Does it", difference="A lot."
    )
    command.arguments = notation
    row = commands_page([command]).split("## Strings")[1].split("\n")[4]
    assert row == (
        r"| `A B key <* \| some> [LIMIT limit] [UP \| DOWN] [GET get [GET get ...]] field value [field value ...] "
        r"[KEYS keys [keys ...]]` | Does it. **Differs from Redis:** A lot. | O(1) | 1.0.0 |"
    )
