"""Imported users, and second factors that administrators add."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from official.scenarios.known_differences import scenario

if TYPE_CHECKING:
    from official.transcript import Transcript


@scenario
def import_users(api: Transcript) -> None:
    google = {"providerId": "google.com", "rawId": "g1", "email": "g@example.com", "displayName": "G"}
    api.admin(
        "/accounts:batchCreate",
        hashAlgorithm="SCRYPT",
        signerKey="a2V5",
        saltSeparator="Bw==",
        rounds=8,
        memoryCost=14,
        users=[
            {
                "localId": "a1",
                "email": "Ada@example.com",
                "emailVerified": True,
                "displayName": "Ada",
                "photoUrl": "http://x/",
                "phoneNumber": "+15550100",
                "passwordHash": "aGFzaA==",
                "salt": "c2FsdA==",
                "customAttributes": '{"admin": true}',
                "createdAt": "1000",
                "lastLoginAt": 2000,
                "providerUserInfo": [google, {"providerId": "password", "rawId": "x"}],
                "mfaInfo": [{"phoneInfo": "+15550101", "displayName": "mine"}, {"phoneInfo": "+15550102"}],
            },
            {"localId": "a2", "rawPassword": "secret1", "email": "b@example.com", "disabled": True},
            {"localId": "a3"},
        ],
    )
    api.admin("/accounts:lookup", localId=["a1", "a2", "a3"])
    api.admin("/accounts:update", localId="a2", disableUser=False)
    api.post("signInWithPassword", email="b@example.com", password="secret1")
    api.admin("/accounts:batchCreate", users=[{"localId": "a2", "displayName": "B"}])
    api.admin("/accounts:batchCreate", users=[{"localId": "a2", "displayName": "B"}], allowOverwrite=True)
    api.admin("/accounts:lookup", localId=["a2"])
    api.admin("/accounts:lookup", email=["b@example.com"])


@scenario
def users_that_cannot_be_imported(api: Transcript) -> None:
    api.admin("/accounts:batchCreate")
    api.admin("/accounts:batchCreate", users=[])
    api.admin("/accounts:batchCreate", users=[{"localId": "a1"}, {"localId": "a1"}])
    api.admin("/accounts:batchCreate", users="none")
    api.admin("/accounts:batchCreate", users=[{"localId": "a1", "email": 1, "disabled": "yes"}])
    api.admin("/accounts", localId="old", email="old@example.com", phoneNumber="+15550100")
    google = {"providerId": "google.com", "rawId": "g1"}
    api.admin("/accounts:update", localId="old", linkProviderUserInfo=google)
    verified = {"email": "m@example.com", "emailVerified": True}
    users = [
        {"displayName": "nobody"},
        {"localId": "b1", "email": "nothing"},
        {"localId": "b2", "email": "old@example.com"},
        {"localId": "b3", "phoneNumber": "5550100"},
        {"localId": "b4", "customAttributes": "[]"},
        {"localId": "b5", "customAttributes": '{"sub": 1}'},
        {"localId": "b6", "customAttributes": json.dumps({"a": "x" * 1000})},
        {"localId": "b7", "tenantId": "t1"},
        {"localId": "b8", "providerUserInfo": [google]},
        {"localId": "b9", "providerUserInfo": [{"providerId": "google.com"}]},
        {"localId": "b10", "providerUserInfo": [{"federatedId": "https://x/"}]},
        {"localId": "b11", "mfaInfo": [{"phoneInfo": "+15550101"}]},
        {"localId": "b12", "email": "q@example.com", "mfaInfo": [{"phoneInfo": "+15550101"}]},
        {"localId": "b13", **verified, "mfaInfo": [{"phoneInfo": "5550101"}]},
        {"localId": "b14", **verified, "mfaInfo": [{"displayName": "x"}]},
        {
            "localId": "b15",
            **verified,
            "mfaInfo": [
                {"phoneInfo": "+15550101", "mfaEnrollmentId": "m1"},
                {"phoneInfo": "+15550102", "mfaEnrollmentId": "m1"},
            ],
        },
        {"localId": "old", "displayName": "new"},
    ]
    api.admin("/accounts:batchCreate", users=users)
    api.admin("/accounts:batchCreate", users=users[2:3], sanityCheck=True)
    double = [{"localId": "c1", "email": "c@example.com"}, {"localId": "c2", "email": "c@example.com"}]
    api.admin("/accounts:batchCreate", users=double, sanityCheck=True)
    linked = [{"localId": "c1", "providerUserInfo": [google]}, {"localId": "c2", "providerUserInfo": [google]}]
    api.admin("/accounts:batchCreate", users=linked, sanityCheck=True)
    api.admin("/accounts:batchGet", "GET")


@scenario
def administer_second_factors(api: Transcript) -> None:
    phones = [{"phoneInfo": "+15550101", "displayName": "mine"}, {"phoneInfo": "+15550101"}]
    verified = {"email": "ada@example.com", "emailVerified": True, "password": "secret1"}
    api.admin("/accounts", localId="a1", **verified, mfaInfo=phones)
    api.admin("/accounts:lookup", localId=["a1"])
    api.admin("/accounts", localId="a2", mfaInfo=[{"phoneInfo": "5550101"}])
    api.admin("/accounts", localId="a2", mfaInfo=[{}])
    factor = {"mfaEnrollmentId": "m1", "phoneInfo": "+15550102", "enrolledAt": "2026-01-01T00:00:00.000Z"}
    for enrollments in (
        [factor, {"mfaEnrollmentId": "m2", "phoneInfo": "+15550103"}],
        [factor, {**factor, "phoneInfo": "+15550103"}],
        [{"phoneInfo": "+15550103"}],
        [{"mfaEnrollmentId": "m2", "phoneInfo": "5550103"}],
    ):
        api.admin("/accounts:update", localId="a1", mfa={"enrollments": enrollments})
    api.admin("/accounts:lookup", localId=["a1"])
    api.admin("/accounts:update", localId="a1", mfa={})
    api.admin("/accounts:lookup", localId=["a1"])
    api.admin("/accounts:update", localId="a1", mfa={"enrollments": "none"})
