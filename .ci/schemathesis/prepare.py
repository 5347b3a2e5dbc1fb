"""Brings the demonstration's caseload to where every operation has something to work on, and writes the ids of it.

Usage: prepare.py BASE KNOWN, with the tokens in the environment as TOKEN_ROLE. The referrals, placements, alerts, households and
webhooks are made through the API, as people would make them.
"""

import json
import os
import sys

import requests

base, known_file = sys.argv[1:3]
known = {}


def call(role, method, path, body=None, version=None):
    headers = {"Authorization": "Bearer " + os.environ["TOKEN_" + role.upper()]}
    if version is not None:
        headers["If-Match"] = f'"v{version}"'
    answer = requests.request(method, base + path, json=body, headers=headers, timeout=30)
    if answer.status_code >= 300:
        raise SystemExit(f"{role} {method} {path}: {answer.status_code} {answer.text[:600]}")
    return answer.json() if answer.content else None


def items(role, path):
    return call(role, "GET", path).get("items") or []


def note(kind, *ids):
    known.setdefault(kind, []).extend(i for i in ids if i)


posts = []
for n in range(8):
    opening = {
        "kind": "job", "title": {"es": "Albañil", "en": "Bricklayer"}, "place_id": 3979770, "capacity": 6, "external_id": f"fuzz-{os.getpid()}-{n}",
        "skills": [{"skill_id": "onward/skill/lay-bricks", "essential": True}],
    }
    posts.append(call("employer", "POST", "/v1/opportunities?publish=true", opening)["id"])
drafts = [call("employer", "POST", "/v1/opportunities", {**opening, "external_id": f"draft-{os.getpid()}-{n}"})["id"] for n in range(3)]
note("opportunities", *posts, *drafts)
note("opportunities", *(o["id"] for o in items("counsellor", "/v1/opportunities?limit=20")))

people = []
for n in range(14):
    person = {
        "external_id": f"fuzz-{os.getpid()}-{n}", "country": "MX", "language": "es",
        "identity": {"given_name": "Persona", "family_name": f"Ficticia {n}"},
        "skills": [{"skill_id": "onward/skill/lay-bricks", "level": 3, "verification": "referenced"}],
        "places": [{"place_id": 3995402, "relation": "origin"}, {"place_id": 4005539, "relation": "current"}],
        "consents": [{"purpose": p, "given_on": "2026-01-01"} for p in ("matching", "sharing", "follow_up")],
    }
    people.append(call("counsellor", "POST", "/v1/returnees", person)["id"])
note("returnees", *people)

partner = next(o["id"] for o in items("counsellor", "/v1/organisations?kind=civil_society"))
for n, returnee in enumerate(people[:12]):
    referral = call("counsellor", "POST", "/v1/referrals" + ("?send=true" if n else ""),
                    {"returnee_id": returnee, "opportunity_id": posts[n % len(posts)], "choice_reason": "not_on_the_list"})
    note("referrals", referral["id"])
    note("received-referrals", referral["id"])
    if n < 3:
        if n:
            note("answers", call("counsellor", "POST", f"/v1/referrals/{referral['id']}/answer-links")["token"])
        continue
    if n < 5:
        note("alerts", call("counsellor", "POST", "/v1/alerts", {"referral_id": referral["id"], "kind": "other", "source": "counsellor"})["id"])
        continue
    accepted = call("employer", "POST", f"/v1/received-referrals/{referral['id']}/events", {"event": "accept"}, referral["version"])
    if n < 7:
        continue
    started = {"started_on": "2026-01-05", "side": "organisation", "source": "employer"}
    if n == 11:
        started["partner_id"] = partner
    note("placements", call("counsellor", "POST", f"/v1/referrals/{referral['id']}/placement", started, accepted["version"])["id"])

for returnee in people[:3]:
    note("referral-requests", call("counsellor", "POST", f"/v1/returnees/{returnee}/referral-requests")["id"])
note("households", call("counsellor", "POST", "/v1/households", {"adults": people[:2]})["id"])
for n in range(3):
    note("webhooks", call("administrator", "POST", "/v1/webhooks", {"url": f"https://example.org/hook/{n}"})["id"])
note("check-ins", *(c["id"] for c in items("counsellor", "/v1/check-ins?limit=50")))
note("organisations", *(o["id"] for o in items("counsellor", "/v1/organisations")[:10]))
note("users", *(u["id"] for u in items("counsellor", "/v1/users")))
note("questionnaires", *(q["code"] for q in items("counsellor", "/v1/questionnaires")))
with open(known_file, "w", encoding="utf-8") as f:
    json.dump(known, f)
print({kind: len(ids) for kind, ids in known.items()})
