"""A process that makes pictures: a line of JSON in, a line of JSON out, until there is no more.

It may crash, hang or use up what it is allowed: children.py then takes another, and only that picture is refused.
"""

import json
import sys

from connectme.media.limits import limit

SECONDS = 600  # of CPU, for all pictures together: then it is replaced
MEGABYTES = 1_536


def main() -> None:
    limit(SECONDS, MEGABYTES)
    from connectme.media import pictures  # noqa: PLC0415  within the limits

    for line in sys.stdin:
        answer: dict[str, object]
        try:
            answer = {"made": pictures.make(**json.loads(line))}
        except pictures.Refused as refusal:
            answer = {"refused": str(refusal)}
        except Exception as error:  # noqa: BLE001  whatever decoders raise for what is no picture
            answer = {"refused": "This picture cannot be read", "why": f"{type(error).__name__}: {error}"[:200]}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
