"""The description of the API is one that tools can read, and says what the routes say."""

import re

from web.api.routes import defined

NAME = re.compile(r"\{(\w+)[^}]*\}")


async def test_it_describes_every_route(site):
    document = (await site.get("/api/openapi.json")).json
    told = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert told == {(route.method.lower(), NAME.sub(r"{\1}", route.path)) for route in defined()}
    assert document["openapi"].startswith("3.1")


async def test_all_that_it_refers_to_is_there(site):
    answer = await site.get("/api/openapi.json")
    there = answer.json["components"]["schemas"]
    assert set(re.findall(r'"#/components/schemas/([^"]+)"', answer.body.decode())) <= set(there)
    assert there["Status"]["properties"]["reblog"]


async def test_it_says_for_whom_a_route_is(site):
    paths = (await site.get("/api/openapi.json")).json["paths"]
    assert paths["/api/v1/timelines/home"]["get"]["security"] == [{"bearer": []}]
    assert {} in paths["/api/v1/timelines/public"]["get"]["security"]
    assert paths["/api/v1/instance"]["get"]["security"] == []
