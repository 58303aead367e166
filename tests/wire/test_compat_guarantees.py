"""The guarantees that pyrebase programs rely on, and which of them Pyrebase4 breaks.

`recorded` has the cases of one library. Ours keeps every guarantee, Pyrebase4 those that are not marked as broken.
"""

from __future__ import annotations

import re

import pytest

from wire.compat_guarantees import BROKEN, both, broken
from wire.known_differences import BUGS

NO_KEYS = ["of None", "with a hash", "with a dot", "with two dots", "with a bracket", "with a control character"]


def urls(recording) -> list[str]:
    """Return the URLs of the requests of a case."""
    return [line.split(" · ")[0] for line in recording.sent]


# --- configuration ---------------------------------------------------------------------------------------------------


@broken("The configuration must have all four keys.")
def test_missing_config_key_means_absent(recorded) -> None:
    assert recorded["a configuration without storage and domain"].outcome == "returns 1"


@broken("A databaseURL with a namespace or a bucket with gs:// results in wrong URLs.")
def test_database_namespace_and_bucket_scheme(recorded) -> None:
    assert urls(recorded["a databaseURL with a namespace"]) == ["GET http://127.0.0.1:9000/x.json?ns=wire"]
    assert recorded["a bucket with gs"].outcome == "returns 'bucket:/o/a?alt=media'"


@broken("A service account must be a str or a dict; any other path or mapping is ignored silently.")
def test_service_account_accepts_pathlike(recorded) -> None:
    assert "authorization: Bearer ya29.1" in recorded["a service account's PathLike"].sent[-1]


@broken("A service account's mapping needs an unused client_id.")
def test_service_account_dict_needs_five_fields(recorded) -> None:
    assert recorded["a service account with five fields"].outcome.startswith("returns 'robot@")


@broken("Programs that replace pyrebase.pyrebase.quote break get_url.")
def test_quote_function_can_be_replaced(recorded) -> None:
    assert recorded["quote is replaced"].outcome == "returns ('bucket:/o/a%20b?alt=media', 'a b')"


@broken("No call has a timeout.")
def test_every_call_has_a_timeout(recorded) -> None:
    # A stream's timeout limits the gap between keep-alive events. Pyrebase4 passes no timeout to the token endpoint.
    timeouts = [timeout for recording in recorded.values() for timeout in recording.timeouts]
    assert timeouts
    assert all(re.fullmatch(r"[\d.]+|\([\d.]+, [\d.]+\)", str(timeout)) for timeout in timeouts)


@both
def test_token_replaces_service_account_for_one_call(recorded) -> None:
    assert recorded["a user's token instead of a service account"].sent == ("GET db:/x.json?auth=ID_TOKEN",)


@both
def test_service_account_token_is_fetched_once(recorded) -> None:
    assert urls(recorded["two calls of a service account"]) == ["POST token:", "GET db:/a.json", "GET db:/b.json"]


# --- paths ----------------------------------------------------------------------------------------------------------


@broken("A stored reference changes: every call adds to one shared path, and every request clears it.")
def test_stored_reference_keeps_its_path(recorded) -> None:
    assert urls(recorded["a reference used twice"]) == ["POST db:/users.json", "GET db:/users.json"]
    assert urls(recorded["two children of one reference"]) == ["GET db:/users/ada.json", "GET db:/users/bob.json"]
    assert len(set(urls(recorded["a query used twice"]))) == 1
    assert urls(recorded["child as a bare statement"]) == ["GET db:/posts.json"]


@both
def test_write_at_the_root(recorded) -> None:
    assert urls(recorded["set at the root"]) == ["PUT db:/.json"]


@broken("Slashes around an argument of child stay in the path and in the key.")
def test_slashes_separate_path_segments(recorded) -> None:
    assert recorded["child with a slash at the end"].outcome == "returns 'users'"
    assert urls(recorded["second child with a slash in front"]) == ["GET db:/users/ada.json"]


@broken("Text in child is not fully encoded: URL characters keep their meaning.")
def test_child_text_is_percent_encoded(recorded) -> None:
    assert urls(recorded["child with a percent code"]) == ["GET db:/%2541.json"]
    assert urls(recorded["child with a plus"]) == ["GET db:/a%2Bb.json"]
    assert urls(recorded["child with a question mark"]) == ["GET db:/what%3F.json"]


@broken("Invalid keys are sent, some of them as another path.")
def test_invalid_key_is_rejected_before_sending(recorded) -> None:
    for name in NO_KEYS:
        assert recorded[f"child {name}"].complete == ("raises ValueError",)


# --- queries ---------------------------------------------------------------------------------------------------------


@both
def test_digit_string_is_not_a_number(recorded) -> None:
    assert urls(recorded["equal_to a text of digits"]) == ['GET db:/users.json?equalTo="10"&orderBy="age"']
    assert urls(recorded["equal_to an int"]) == ['GET db:/users.json?equalTo=10&orderBy="age"']
    assert urls(recorded["equal_to true"]) == ['GET db:/users.json?equalTo=true&orderBy="age"']


@broken("Bounds are put in quotes instead of JSON; None becomes the text None.")
def test_bounds_are_json(recorded) -> None:
    assert urls(recorded["equal_to None"]) == ['GET db:/users.json?equalTo=null&orderBy="age"']
    assert urls(recorded["start_at a text with a quote"]) == [r'GET db:/users.json?orderBy="age"&startAt="a\"b"']


@broken("A bound or a limit without an order is sent, and the response causes an exception.")
def test_query_without_order_is_rejected_before_sending(recorded) -> None:
    assert recorded["a limit without an order"].complete == ("raises ValueError",)
    assert recorded["a bound without an order"].complete == ("raises ValueError",)


@broken("Results are in Python's order, which differs from Firebase's and fails for mixed types.")
def test_results_are_in_firebase_order(recorded) -> None:
    assert "each=[('c', True), ('b', 1), ('a', 'x'), ('d', {'e': 1})]" in recorded["values of all kinds"].outcome
    assert "each=[('-1', 4), ('9', 2), ('10', 1), ('a', 3)]" in recorded["keys that are numbers"].outcome
    assert "returns PyreResponse" in recorded["children that are no objects"].outcome
    assert "each=[('b', {'address'" in recorded["a child at a path"].outcome


@both
def test_children_without_the_order_key_are_first(recorded) -> None:
    assert "each=[('b', {'name': 'x'}), ('a', {'age': 1})]" in recorded["children without it"].outcome


# --- responses
# ---------------------------------------------------------------------------------------------------------


@broken("Equal array items get the key of the first of them.")
def test_array_items_have_indices_as_keys(recorded) -> None:
    assert "each=[(0, 'a'), (1, 'b'), (2, 'a')]" in recorded["an array with equal members"].outcome
    assert "each=[(0, None), (1, 'a'), (2, None), (3, 'b')]" in recorded["an array with holes"].outcome


@both
def test_each_of_null_is_none(recorded) -> None:
    assert recorded["null"].outcome == "returns PyreResponse key='users', val=None, each=None"
    assert recorded["each over null, iterated"].outcome == "raises TypeError"


@both
def test_response_is_always_truthy(recorded) -> None:
    assert {recorded["a snapshot is true"].outcome, recorded["a snapshot of null is true"].outcome} == {"returns True"}


@both
def test_val_returns_a_new_ordered_dict(recorded) -> None:
    assert recorded["the first child is popped"].outcome == "returns ('ada', {'age': 36})"
    assert recorded["the value is the program's own"].outcome == "returns ordered {'a': 1}"


@both
def test_query_without_matches_returns_empty_list(recorded) -> None:
    assert recorded["a query that matches nothing"].outcome == "returns PyreResponse key='users', val=[], each=[]"


@broken("The keys of a shallow read are a dict view without JSON and index.")
def test_shallow_keys_are_a_list(recorded) -> None:
    assert recorded["the keys of shallow"].outcome == "returns ['a', 'b']"


@broken("Iterating a null response raises TypeError.")
def test_iterating_a_null_response_yields_nothing(recorded) -> None:
    assert recorded["iterating null"].outcome == "returns []"


@broken("sort fails for null, and for children without the order key.")
def test_sort_accepts_any_response(recorded) -> None:
    assert "each=[('cy', {}), ('ada'" in recorded["sort of a mixture"].outcome
    assert "each=[]" in recorded["sort of null"].outcome


@broken("get_etag does not use its json_kwargs.")
def test_get_etag_uses_its_json_kwargs(recorded) -> None:
    assert recorded["get_etag with json_kwargs"].outcome == "returns '7'"


@broken("Keys generated within a millisecond are neither ascending nor unique.")
def test_generated_keys_are_ascending_and_unique(recorded) -> None:
    assert recorded["generated keys"].outcome == "returns {'lengths': [20], 'rise': True, 'differ': True}"


@both
def test_old_etag_returns_the_current_value(recorded) -> None:
    assert recorded["failed conditional_set"].outcome == "returns {'ETag': 'newer', 'value': {'a': 1}}"


# --- errors ----------------------------------------------------------------------------------------------------------


@both
def test_error_can_be_parsed_by_pyrebase_programs(recorded) -> None:
    for name in ("the message in args", "the message in strerror"):
        assert recorded[name].outcome == "returns 'EMAIL_EXISTS'"
    assert recorded["the message in the text"].outcome == "returns True"
    assert recorded["the first word of errno"].outcome == "returns '400'"
    assert recorded["the database's message"].outcome == "returns 'Permission denied'"


@both
def test_api_error_is_an_http_error_and_an_os_error(recorded) -> None:
    assert recorded["rejected get"].outcome.startswith("raises HTTPError RequestException OSError: 401 401 ")


@both
def test_broken_connection_is_requests_connection_error(recorded) -> None:
    assert recorded["no response to a push"].outcome == "raises ConnectionError RequestException OSError"


@both
def test_missing_local_file_is_file_not_found_error(recorded) -> None:
    assert recorded["put a missing file"].outcome == "raises FileNotFoundError OSError"


# --- streams ---------------------------------------------------------------------------------------------------------


@both
def test_stream_handler_receives_a_dict(recorded) -> None:
    expected = "[{'data': {'a': 1}, 'event': 'put', 'path': '/', 'stream_id': 'mine'}]"
    assert recorded["stream with an id"].outcome == f"returns {{'messages': {expected}, 'close': True, 'over': True}}"


@both
def test_stream_thread_keeps_the_program_alive(recorded) -> None:
    assert recorded["the thread of a stream"].outcome == "returns (False, True, True)"


@broken("A user's token on a stream is sent with the service account's, so the stream reads as administrator.")
def test_token_replaces_service_account_on_streams(recorded) -> None:
    assert "Bearer" not in str(recorded["stream with a token instead of a service account"].sent)


@broken("A stream keeps using an expired access token.")
def test_stream_refreshes_an_expired_access_token(recorded) -> None:
    assert "Bearer ya29.2" in recorded["stream whose service account expires"].sent[-1]


@broken("A stream's error does not contain the server's message.")
def test_stream_error_has_the_server_message(recorded) -> None:
    assert "Permission denied" in recorded["rejected stream in this thread"].outcome


@broken("Closing a stream hangs after a rejection, and fails in the handler and at the second call.")
def test_close_works_at_any_time(recorded) -> None:
    assert recorded["stream closed twice"].outcome == "returns True"
    assert recorded["stream closed in its handler"].outcome == "returns ['closed']"
    assert recorded["rejected stream, then closed"].outcome == "returns 'closed'"


# --- auth ------------------------------------------------------------------------------------------------------------


@both
def test_current_user_is_set_by_sign_in(recorded) -> None:
    assert recorded["current_user"].outcome == "returns (None, True, None)"
    assert recorded["current_user after a sign-up"].outcome == "returns None"
    assert recorded["current_user after an anonymous sign-in"].outcome == "returns True"


@both
def test_sign_in_returns_a_plain_dict(recorded) -> None:
    assert recorded["a sign-in can be stored"].outcome == "returns (True, True)"


@broken("update_profile sends photoURL, which the server ignores.")
def test_update_profile_sets_the_picture(recorded) -> None:
    assert '"photoUrl": "https://example.com/a.png"' in recorded["update_profile"].sent[0]


@broken("create_custom_token does not work with current versions of python_jwt.")
def test_custom_token_has_claims_and_lifetime(recorded) -> None:
    assert re.match(r"returns \('str', .*'uid': 'ada'}, 3600\)$", recorded["create_custom_token"].outcome)
    assert re.match(
        r"returns .*'claims': {'premium': True}.*, 300\)$", recorded["create_custom_token with claims"].outcome
    )


# --- storage ---------------------------------------------------------------------------------------------------------


@broken("Storage with a service account does not work with current versions of google-cloud-storage.")
def test_put_returns_metadata(recorded) -> None:
    assert recorded["put of a service account"].outcome == "returns 'images/a.png'"


@broken("put does not accept a PathLike, and child accepts only text.")
def test_put_accepts_pathlike_and_child_accepts_int(recorded) -> None:
    assert recorded["put a PathLike"].outcome.startswith("returns {'name'")
    assert urls(recorded["put at an int"]) == ["POST bucket:/o?name=images/7"]


@broken("put ignores the content type without a service account.")
def test_put_accepts_a_content_type(recorded) -> None:
    assert "text/plain" in recorded["put with a content type"].sent[0]


@broken("Object names are not encoded.")
def test_object_name_is_percent_encoded(recorded) -> None:
    assert urls(recorded["put at a name with signs"]) == ["POST bucket:/o?name=images/a&b #+é%.png"]
    assert "/o/images%2Fa%26b %23%2B%C3%A9.png" in recorded["delete with signs"].sent[0]


@both
def test_get_url_needs_no_network_and_adds_a_download_token(recorded) -> None:
    assert recorded["get_url"].complete == ("returns 'bucket:/o/images%2Fa.png?alt=media'",)
    assert recorded["get_url with a download token"].complete == (
        "returns 'bucket:/o/images%2Fa.png?alt=media&token=0b3c-token'",
    )


@broken("A URL contains the ID token, which logs and histories store and which expires.")
def test_storage_urls_never_contain_an_id_token(recorded) -> None:
    assert "ID_TOKEN" not in recorded["get_url with an ID token"].outcome
    assert urls(recorded["download with a token"]) == ["GET bucket:/o/images%2Fa.png?alt=media"]


@broken("download ignores its path argument and rejects Pyrebase 3's arguments.")
def test_download_accepts_both_signatures(recorded) -> None:
    for name in ("download", "download with only the path", "download as in Pyrebase 3"):
        assert recorded[name].complete == (
            "GET bucket:/o/images%2Fa.png?alt=media",
            "returns (returns None, {'there.png': b'content'})",
        )


@broken("A failed download raises nothing.")
def test_failed_download_raises(recorded) -> None:
    assert "raises HTTPError" in recorded["download of a missing file"].outcome


@broken("delete needs a name and a token, and ignores the child it is called on.")
def test_delete_accepts_a_name_or_a_child(recorded) -> None:
    for name in ("delete as in Pyrebase 3", "delete a child"):
        assert recorded[name].complete == ("DELETE bucket:/o/images%2Fa.png", "returns None")


@broken("list_files needs a service account.")
def test_list_files_without_a_service_account(recorded) -> None:
    assert recorded["list_files"].outcome == "returns ['a.png']"


# --- the list of bugs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bug", BUGS)
def test_every_documented_bug_breaks_a_guarantee(bug) -> None:
    assert bug in BROKEN
