"""What programs written for pyrebase rely on, and which of it Pyrebase4 itself breaks.

`told` is what a library made of the book: of ours everything holds, of Pyrebase4's what is not marked as broken.
"""

from __future__ import annotations

import re

import pytest

from wire.promises import BROKEN, both, broken
from wire.written_down import BUGS

NO_KEYS = ["of None", "with a hash", "with a dot", "with two dots", "with a bracket", "with a control character"]


def urls(telling) -> list[str]:
    """Where the requests of a page went."""
    return [line.split(" · ")[0] for line in telling.sent]


# --- configuration ---------------------------------------------------------------------------------------------------


@broken("A configuration must have all four keys.")
def test_a_missing_key_means_absent(told) -> None:
    assert told["a configuration without storage and domain"].outcome == "returns 1"


@broken("A databaseURL with a namespace and a bucket with gs:// make wrong addresses.")
def test_a_database_has_a_namespace_and_a_bucket_a_scheme(told) -> None:
    assert urls(told["a databaseURL with a namespace"]) == ["GET http://127.0.0.1:9000/x.json?ns=wire"]
    assert told["a bucket with gs"].outcome == "returns 'bucket:/o/a?alt=media'"


@broken("A service account is taken from a str or a dict only; any other path or mapping signs nothing, silently.")
def test_a_service_account_is_a_pathlike(told) -> None:
    assert "authorization: Bearer ya29.1" in told["a service account's PathLike"].sent[-1]


@broken("A service account's mapping needs a client_id, which nothing uses.")
def test_a_service_account_has_five_fields(told) -> None:
    assert told["a service account with five fields"].outcome.startswith("returns 'robot@")


@broken("Programs that replace pyrebase.pyrebase.quote break get_url.")
def test_quote_may_be_replaced(told) -> None:
    assert told["quote is replaced"].outcome == "returns ('bucket:/o/a%20b?alt=media', 'a b')"


@broken("No call has a timeout.")
def test_every_call_has_a_timeout(told) -> None:
    # Of a stream the silence between keep-alives; of the token endpoint Pyrebase4's own client knows nothing to tell.
    timeouts = [timeout for telling in told.values() for timeout in telling.timeouts]
    assert timeouts
    assert all(re.fullmatch(r"[\d.]+|\([\d.]+, [\d.]+\)", str(timeout)) for timeout in timeouts)


@both
def test_a_users_token_replaces_the_service_account_for_that_call(told) -> None:
    assert told["a user's token in place of a service account"].sent == ("GET db:/x.json?auth=ID_TOKEN",)


@both
def test_a_service_account_asks_once_for_its_token(told) -> None:
    assert urls(told["two calls of a service account"]) == ["POST token:", "GET db:/a.json", "GET db:/b.json"]


# --- places ----------------------------------------------------------------------------------------------------------


@broken("A place that is kept moves: every call adds to one shared path, and every request clears it.")
def test_a_stored_reference_means_the_same_place_at_every_use(told) -> None:
    assert urls(told["a reference used twice"]) == ["POST db:/users.json", "GET db:/users.json"]
    assert urls(told["two children of one reference"]) == ["GET db:/users/ada.json", "GET db:/users/bob.json"]
    assert len(set(urls(told["a query used twice"]))) == 1
    assert urls(told["child as a bare statement"]) == ["GET db:/posts.json"]


@both
def test_a_write_at_the_root_is_a_write_at_the_root(told) -> None:
    assert urls(told["set at the root"]) == ["PUT db:/.json"]


@broken("Slashes around an argument of child stay in the path and in the key.")
def test_slashes_separate_segments_wherever_they_stand(told) -> None:
    assert told["child with a slash at the end"].outcome == "returns 'users'"
    assert urls(told["second child with a slash in front"]) == ["GET db:/users/ada.json"]


@broken("Text in child is half encoded: signs of a URL keep their meaning.")
def test_text_in_child_is_data(told) -> None:
    assert urls(told["child with a percent code"]) == ["GET db:/%2541.json"]
    assert urls(told["child with a plus"]) == ["GET db:/a%2Bb.json"]
    assert urls(told["child with a question mark"]) == ["GET db:/what%3F.json"]


@broken("What cannot be a key is sent, some of it as another place.")
def test_what_cannot_be_a_key_is_refused_before_it_is_sent(told) -> None:
    for name in NO_KEYS:
        assert told[f"child {name}"].whole == ("raises ValueError",)


# --- queries ---------------------------------------------------------------------------------------------------------


@both
def test_a_text_of_digits_is_not_a_number(told) -> None:
    assert urls(told["equal_to a text of digits"]) == ['GET db:/users.json?equalTo="10"&orderBy="age"']
    assert urls(told["equal_to an int"]) == ['GET db:/users.json?equalTo=10&orderBy="age"']
    assert urls(told["equal_to true"]) == ['GET db:/users.json?equalTo=true&orderBy="age"']


@broken("Bounds are put in quotes, not into JSON; None is the word None.")
def test_a_bound_is_json(told) -> None:
    assert urls(told["equal_to None"]) == ['GET db:/users.json?equalTo=null&orderBy="age"']
    assert urls(told["start_at a text with a quote"]) == [r'GET db:/users.json?orderBy="age"&startAt="a\"b"']


@broken("A bound or a limit without an order is sent, and then the answer breaks it.")
def test_a_query_that_needs_an_order_is_refused_before_it_is_sent(told) -> None:
    assert told["a limit without an order"].whole == ("raises ValueError",)
    assert told["a bound without an order"].whole == ("raises ValueError",)


@broken("Results are sorted as Python compares, which is not Firebase's order, and fails where kinds are mixed.")
def test_results_come_in_firebases_order_whatever_kinds_are_mixed(told) -> None:
    assert "each=[('c', True), ('b', 1), ('a', 'x'), ('d', {'e': 1})]" in told["values of all kinds"].outcome
    assert "each=[('-1', 4), ('9', 2), ('10', 1), ('a', 3)]" in told["keys that are numbers"].outcome
    assert "returns PyreResponse" in told["children that are no objects"].outcome
    assert "each=[('b', {'address'" in told["a child at a path"].outcome


@both
def test_children_that_lack_the_member_come_first(told) -> None:
    assert "each=[('b', {'name': 'x'}), ('a', {'age': 1})]" in told["children that lack it"].outcome


# --- answers ---------------------------------------------------------------------------------------------------------


@broken("Members of an array that are equal get the key of the first of them.")
def test_the_members_of_an_array_have_its_indices_for_keys(told) -> None:
    assert "each=[(0, 'a'), (1, 'b'), (2, 'a')]" in told["an array with equal members"].outcome
    assert "each=[(0, None), (1, 'a'), (2, None), (3, 'b')]" in told["an array with holes"].outcome


@both
def test_each_over_null_is_none(told) -> None:
    assert told["null"].outcome == "returns PyreResponse key='users', val=None, each=None"
    assert told["each over null, iterated"].outcome == "raises TypeError"


@both
def test_an_answer_is_always_true(told) -> None:
    assert {told["an answer is true"].outcome, told["an answer over null is true"].outcome} == {"returns True"}


@both
def test_an_object_is_an_ordered_dict_in_order_and_fresh(told) -> None:
    assert told["the first child is popped"].outcome == "returns ('ada', {'age': 36})"
    assert told["the value is the program's own"].outcome == "returns ordered {'a': 1}"


@both
def test_a_query_that_no_child_matches_has_an_empty_list(told) -> None:
    assert told["a query that matches nothing"].outcome == "returns PyreResponse key='users', val=[], each=[]"


@broken("The keys of a shallow read are a view of a dict: no JSON, no index.")
def test_the_keys_of_a_shallow_read_are_a_list(told) -> None:
    assert told["the keys of shallow"].outcome == "returns ['a', 'b']"


@broken("Iterating an answer over null is a TypeError.")
def test_iterating_an_answer_over_null_yields_nothing(told) -> None:
    assert told["iterating null"].outcome == "returns []"


@broken("sort breaks on null, and on children that lack the member.")
def test_sort_takes_any_answer(told) -> None:
    assert "each=[('cy', {}), ('ada'" in told["sort of a mixture"].outcome
    assert "each=[]" in told["sort of null"].outcome


@broken("get_etag does not use its json_kwargs.")
def test_get_etag_uses_its_json_kwargs(told) -> None:
    assert told["get_etag with json_kwargs"].outcome == "returns '7'"


@broken("Keys made within a millisecond neither rise nor differ.")
def test_generated_keys_rise_and_never_repeat(told) -> None:
    assert told["generated keys"].outcome == "returns {'lengths': [20], 'rise': True, 'differ': True}"


@both
def test_an_etag_that_no_longer_holds_is_an_answer_and_no_error(told) -> None:
    assert told["conditional_set in vain"].outcome == "returns {'ETag': 'newer', 'value': {'a': 1}}"


# --- errors ----------------------------------------------------------------------------------------------------------


@both
def test_a_refusal_is_taken_apart_as_programs_do_it(told) -> None:
    for name in ("the message in args", "the message in strerror"):
        assert told[name].outcome == "returns 'EMAIL_EXISTS'"
    assert told["the message in the text"].outcome == "returns True"
    assert told["the first word of errno"].outcome == "returns '400'"
    assert told["the database's message"].outcome == "returns 'Permission denied'"


@both
def test_a_refusal_is_an_http_error_and_an_os_error(told) -> None:
    assert told["get refused"].outcome.startswith("raises HTTPError RequestException OSError: 401 401 ")


@both
def test_a_connection_that_breaks_is_requests_connection_error(told) -> None:
    assert told["nothing answers a push"].outcome == "raises ConnectionError RequestException OSError"


@both
def test_a_local_file_that_is_missing_is_a_file_not_found_error(told) -> None:
    assert told["put a file that is missing"].outcome == "raises FileNotFoundError OSError"


# --- streams ---------------------------------------------------------------------------------------------------------


@both
def test_a_handler_gets_a_dict_with_event_path_data_and_stream_id(told) -> None:
    said = "[{'data': {'a': 1}, 'event': 'put', 'path': '/', 'stream_id': 'mine'}]"
    assert told["stream with an id"].outcome == f"returns {{'messages': {said}, 'close': True, 'over': True}}"


@both
def test_the_thread_of_a_stream_keeps_the_program_alive(told) -> None:
    assert told["the thread of a stream"].outcome == "returns (False, True, True)"


@broken("A user's token on a stream is sent beside the service account's, which then reads as administrator.")
def test_a_users_token_replaces_the_service_account_on_streams_too(told) -> None:
    assert "Bearer" not in str(told["stream with a token in place of a service account"].sent)


@broken("A stream whose access token ran out goes on with that token.")
def test_a_stream_gets_a_new_access_token_when_one_has_run_out(told) -> None:
    assert "Bearer ya29.2" in told["stream whose account is refused for its age"].sent[-1]


@broken("A stream's refusal is without the server's words.")
def test_the_refusal_of_a_stream_has_the_servers_words(told) -> None:
    assert "Permission denied" in told["stream refused in this thread"].outcome


@broken("Closing a stream hangs when it was refused, and fails in its handler and the second time.")
def test_close_works_at_any_time(told) -> None:
    assert told["stream closed twice"].outcome == "returns True"
    assert told["stream closed in its handler"].outcome == "returns ['closed']"
    assert told["stream refused, then closed"].outcome == "returns 'closed'"


# --- auth ------------------------------------------------------------------------------------------------------------


@both
def test_current_user_is_set_by_email_and_anonymous_sign_in_and_can_be_assigned(told) -> None:
    assert told["current_user"].outcome == "returns (None, True, None)"
    assert told["current_user after a sign-up"].outcome == "returns None"
    assert told["current_user after an anonymous sign-in"].outcome == "returns True"


@both
def test_the_answer_to_a_sign_in_is_a_plain_dict(told) -> None:
    assert told["a sign-in can be stored"].outcome == "returns (True, True)"


@broken("update_profile names the picture photoURL, which the server does not know.")
def test_update_profile_sets_the_picture(told) -> None:
    assert '"photoUrl": "https://example.com/a.png"' in told["update_profile"].sent[0]


@broken("create_custom_token does not work with any python_jwt of today.")
def test_a_custom_token_is_text_with_the_claims_and_the_lifetime_asked_for(told) -> None:
    assert re.match(r"returns \('str', .*'uid': 'ada'}, 3600\)$", told["create_custom_token"].outcome)
    assert re.match(r"returns .*'claims': {'premium': True}.*, 300\)$", told["create_custom_token with claims"].outcome)


# --- storage ---------------------------------------------------------------------------------------------------------


@broken("Storage with a service account does not work with any google-cloud-storage of today.")
def test_put_returns_the_metadata_in_every_mode(told) -> None:
    assert told["put of a service account"].outcome == "returns 'images/a.png'"


@broken("put does not take a PathLike, nor child what is no text.")
def test_put_takes_a_pathlike_and_child_an_int(told) -> None:
    assert told["put a PathLike"].outcome.startswith("returns {'name'")
    assert urls(told["put at an int"]) == ["POST bucket:/o?name=images/7"]


@broken("put ignores the content type unless a service account signs.")
def test_put_takes_a_content_type(told) -> None:
    assert "text/plain" in told["put with a content type"].sent[0]


@broken("Names of files are not encoded.")
def test_the_name_of_a_file_is_data(told) -> None:
    assert urls(told["put at a name with signs"]) == ["POST bucket:/o?name=images/a&b #+é%.png"]
    assert "/o/images%2Fa%26b %23%2B%C3%A9.png" in told["delete with signs"].sent[0]


@both
def test_get_url_needs_no_network_and_adds_a_download_token(told) -> None:
    assert told["get_url"].whole == ("returns 'bucket:/o/images%2Fa.png?alt=media'",)
    assert told["get_url with a download token"].whole == (
        "returns 'bucket:/o/images%2Fa.png?alt=media&token=0b3c-token'",
    )


@broken("An ID token goes into a URL, where logs and histories keep it, and which then does not work for long.")
def test_an_id_token_never_goes_into_an_address_of_storage(told) -> None:
    assert "ID_TOKEN" not in told["get_url with an ID token"].outcome
    assert urls(told["download with a token"]) == ["GET bucket:/o/images%2Fa.png?alt=media"]


@broken("download does not use its path argument, nor take Pyrebase 3's form.")
def test_download_takes_both_old_forms(told) -> None:
    for name in ("download", "download with the path alone", "download as in Pyrebase 3"):
        assert told[name].whole == (
            "GET bucket:/o/images%2Fa.png?alt=media",
            "returns (returns None, {'there.png': b'content'})",
        )


@broken("download says nothing when it fails.")
def test_a_download_that_fails_raises(told) -> None:
    assert "raises HTTPError" in told["download of a file that is missing"].outcome


@broken("delete wants a name and a token, and does not know the child it is called on.")
def test_delete_takes_a_name_or_is_called_on_the_child(told) -> None:
    for name in ("delete as in Pyrebase 3", "delete a child"):
        assert told[name].whole == ("DELETE bucket:/o/images%2Fa.png", "returns None")


@broken("list_files needs a service account.")
def test_list_files_lists_for_everybody(told) -> None:
    assert told["list_files"].outcome == "returns ['a.png']"


# --- the list of bugs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bug", BUGS)
def test_every_bug_that_is_written_down_breaks_a_promise(bug) -> None:
    assert bug in BROKEN
