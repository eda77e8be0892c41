"""Reads OpenLineage events, a line each, with the classes of the Python client, which refuse what the standard does not have."""

import importlib
import json
import pkgutil
import sys

import openlineage.client.generated as generated
from openlineage.client import event_v2


def facet_classes():
    found = {}
    for module in pkgutil.iter_modules(generated.__path__):
        loaded = importlib.import_module(f"{generated.__name__}.{module.name}")
        for value in vars(loaded).values():
            if isinstance(value, type) and isinstance(vars(value).get("_get_schema"), staticmethod):
                found[value._get_schema()] = value
    return found


CLASSES = facet_classes()


def facets(given):
    made = {}
    for name, fields in given.items():
        rest = {key: value for key, value in fields.items() if key not in ("_schemaURL", "_producer")}
        made[name] = CLASSES[fields["_schemaURL"]](**rest)
    return made


def read(event):
    return event_v2.RunEvent(
        eventTime=event["eventTime"],
        eventType=event_v2.RunState[event["eventType"]],
        producer=event["producer"],
        run=event_v2.Run(event["run"]["runId"], facets(event["run"]["facets"])),
        job=event_v2.Job(event["job"]["namespace"], event["job"]["name"], facets(event["job"]["facets"])),
        inputs=[
            event_v2.InputDataset(one["namespace"], one["name"], facets=facets(one["facets"]), inputFacets=facets(one["inputFacets"]))
            for one in event["inputs"]
        ],
        outputs=[
            event_v2.OutputDataset(one["namespace"], one["name"], facets=facets(one["facets"]), outputFacets=facets(one["outputFacets"]))
            for one in event["outputs"]
        ],
    )


def main():
    events = [json.loads(line) for line in sys.stdin]
    schemas = {event["schemaURL"] for event in events}
    if schemas != {event_v2.RunEvent._get_schema()}:
        raise ValueError(f"events of the schemas {schemas}; the client has {event_v2.RunEvent._get_schema()}")
    made = [read(event) for event in events]
    lineage = {
        output.name: {
            column: sorted(f"{field['name']}.{field['field']}" for field in origins["inputFields"])
            for column, origins in output.facets["columnLineage"].fields.items()
        }
        for event in made
        for output in event.outputs
        if "columnLineage" in output.facets
    }
    print(json.dumps({"events": len(made), "lineage": lineage}))


main()
