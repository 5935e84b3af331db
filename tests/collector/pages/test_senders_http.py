"""Every sender over HTTP against a little server: the documented request byte for byte, and what each failure means."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from centre import HandClock
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from gateway import DROP, HALF, HANG, Gateway, a_message, answer, serving
from jsonschema import Draft202012Validator

from collector.errors import SettingsError
from collector.pages.door import Door
from collector.pages.senders import TABLE, made
from collector.pages.senders.apprise import host_of
from collector.pages.senders.base import Sender, SendError
from collector.pages.senders.mailbox import Options as Mailbox
from collector.pages.senders.options import Secret
from collector.settings import Server, Settings
from collector.settings_channels import Channel, Outbound
from collector.settings_read import load

ROOT = Path(__file__).parents[3]
NOW = HandClock().now_ms
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with serving() as found:
        yield found


def sender(kind: str, name: str, secrets: dict[str, str], clock: HandClock | None = None, **table: Any) -> Sender:
    door = Door(Outbound(private="127.0.0.0/8", timeout_seconds=1))
    settings = Settings(server=Server(public_url="https://bongsu.example.org"))
    return made(settings, Channel(name, kind, table, secrets), door, clock or HandClock())


def raw(line: str, host: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
    lines = [line, f"Host: {host}", *[f"{name}: {value}" for name, value in headers]]
    lines += [f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def hmac_hex(key: str, text: bytes) -> str:
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()


def test_a_signed_webhook(gateway: Gateway) -> None:
    gateway.then = answer(202, {"id": "r-77"})
    assert sender("webhook", "webhook", {"secret": "s3cret"}, url=f"{gateway.url}/in?x=1").send(a_message()) == "r-77"
    seconds = str(NOW // 1000)
    body = (
        '{"version":1,"key":"0f3a9c1e-7-1-kim-sms","kind":"trigger","severity":"critical","incident":418,"person":"kim",'
        '"address":"+82 10-1234-5678","language":"ko","subject":"[긴급] 아부자 전원 장애 #418",'
        '"text":"아부자 공관의 전원이 끊겼습니다.\\n시작 01:42","short":"[긴급] 아부자 전원 장애 #418 회신 1",'
        '"link":"https://bongsu.example.org/a/tok3n","fields":{"site":"아부자","since":"01:42"},'
        '"sent_at":"2026-09-21T14:13:20Z"}'
    ).encode()
    headers = [
        ("Content-Type", "application/json; charset=utf-8"),
        ("Idempotency-Key", "0f3a9c1e-7-1-kim-sms"),
        ("Bongsu-Timestamp", seconds),
        ("Bongsu-Signature", "sha256=" + hmac_hex("s3cret", seconds.encode() + b"." + body)),
    ]
    assert gateway.heard == [raw("POST /in?x=1 HTTP/1.1", f"127.0.0.1:{gateway.port}", headers, body)]
    schema = json.loads((ROOT / "docs/page-webhook.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(gateway.last.json)
    assert set(schema["required"]) == set(gateway.last.json)


def test_jandi_a_topic_and_a_team(gateway: Gateway) -> None:
    sender("jandi", "jandi", {"url": f"{gateway.url}/connect-api/webhook/1/2"}).send(a_message())
    body = (
        '{"body":"(긴급) 아부자 전원 장애 #418 [확인](https://bongsu.example.org/a/tok3n)","connectColor":"#C62828",'
        '"connectInfo":[{"title":"[긴급] 아부자 전원 장애 #418",'
        '"description":"아부자 공관의 전원이 끊겼습니다.\\n시작 01:42"}]}'
    ).encode()
    headers = [("Accept", "application/vnd.tosslab.jandi-v2+json"), ("Content-Type", "application/json")]
    line = "POST /connect-api/webhook/1/2 HTTP/1.1"
    assert gateway.heard == [raw(line, f"127.0.0.1:{gateway.port}", headers, body)]
    team = sender("jandi", "jandi", {"url": f"{gateway.url}/t"}, is_team=True)
    team.send(a_message(address="kim@example.org"))
    assert list(gateway.last.json) == ["email", "body", "connectColor", "connectInfo"]
    with pytest.raises(SendError, match="an e-mail was expected"):
        team.send(a_message())


def test_naver_works_incoming_webhook(gateway: Gateway) -> None:
    gateway.then = answer(200, {"code": 200, "description": "success"})
    hook = sender("naverworks_hook", "naverworks", {"url": f"{gateway.url}/message/ed01"})
    hook.send(a_message())
    body = (
        '{"title":"[긴급] 아부자 전원 장애 #418","body":{"text":"아부자 공관의 전원이 끊겼습니다.\\n시작 01:42"},'
        '"button":{"label":"확인하러 가기","url":"https://bongsu.example.org/a/tok3n"}}'
    ).encode()
    headers = [("Content-Type", "application/json")]
    assert gateway.heard == [raw("POST /message/ed01 HTTP/1.1", f"127.0.0.1:{gateway.port}", headers, body)]
    gateway.then = answer(200, {"code": 400, "description": "missing parameter"})
    with pytest.raises(SendError, match="code 400") as why:
        hook.send(a_message(link=""))
    assert why.value.permanent
    assert "button" not in gateway.last.json


def test_naver_works_bot_asks_for_a_token_and_keeps_it(gateway: Gateway) -> None:
    clock = HandClock()
    pem = KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    token = answer(200, {"access_token": "tok", "token_type": "Bearer", "expires_in": "86400", "scope": "bot.message"})
    gateway.answers, gateway.then = [token], answer(201, {})
    bot = sender(
        "naverworks",
        "naverworks",
        {"client_secret": "c/s", "private_key": pem},
        clock,
        bot_id="2000001",
        client_id="cid",
        service_account="x.serviceaccount@example",
        api_url=f"{gateway.url}/v1.0",
        auth_url=f"{gateway.url}/oauth2/v2.0/token",
    )
    bot.send(a_message(address="kim@example.org"))
    bot.send(a_message(address="kim@example.org", link=""))
    asked, first, second = gateway.heard
    form = parse_qs(asked.partition(b"\r\n\r\n")[2].decode(), strict_parsing=True)
    assert asked.startswith(b"POST /oauth2/v2.0/token HTTP/1.1\r\n")
    assert b"\r\nContent-Type: application/x-www-form-urlencoded\r\n" in asked
    jwt = form.pop("assertion")[0]
    assert form == {
        "grant_type": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        "client_id": ["cid"],
        "client_secret": ["c/s"],
        "scope": ["bot.message"],
    }
    head, claims, signed = (base64.urlsafe_b64decode(part + "==") for part in jwt.split("."))
    KEY.public_key().verify(signed, jwt.rpartition(".")[0].encode(), padding.PKCS1v15(), hashes.SHA256())
    assert json.loads(head) == {"alg": "RS256", "typ": "JWT"}
    issued = {"iss": "cid", "sub": "x.serviceaccount@example", "iat": NOW // 1000, "exp": NOW // 1000 + 3600}
    assert json.loads(claims) == issued
    body = (
        '{"content":{"type":"button_template","contentText":"[긴급] 아부자 전원 장애 #418\\n\\n아부자 공관의 전원이 '
        '끊겼습니다.\\n시작 01:42","actions":[{"type":"uri","label":"확인하러 가기",'
        '"uri":"https://bongsu.example.org/a/tok3n"}]}}'
    ).encode()
    headers = [("Authorization", "Bearer tok"), ("Content-Type", "application/json")]
    line = "POST /v1.0/bots/2000001/users/kim%40example.org/messages HTTP/1.1"
    assert first == raw(line, f"127.0.0.1:{gateway.port}", headers, body)
    assert b'"type":"text"' in second
    # Its end, and a token taken back before it: each asks for another, and neither is lost.
    clock.now_ms += 86_400_000
    gateway.answers = [token]
    bot.send(a_message())
    assert len(gateway.heard) == 5
    gateway.answers = [answer(401, {"code": "UNAUTHORIZED"}), token]
    with pytest.raises(SendError) as why:
        bot.send(a_message())
    assert not why.value.permanent
    bot.send(a_message())
    assert len(gateway.heard) == 8


def sens(gateway: Gateway, kind: str = "sens_sms", name: str = "sms", **more: Any) -> Sender:
    table = {"access_key": "AK", "service_id": "ncp:sms:kr:1:bongsu", "api_url": gateway.url, **more}
    return sender(kind, name, {"secret_key": "SK"}, **table)


def sens_headers(path: str) -> list[tuple[str, str]]:
    text = f"POST {path}\n{NOW}\nAK".encode()
    signed = base64.b64encode(hmac.new(b"SK", text, hashlib.sha256).digest()).decode()
    return [
        ("Content-Type", "application/json; charset=utf-8"),
        ("x-ncp-apigw-timestamp", str(NOW)),
        ("x-ncp-iam-access-key", "AK"),
        ("x-ncp-apigw-signature-v2", signed),
    ]


def test_sens_sms_and_lms(gateway: Gateway) -> None:
    gateway.then = answer(202, {"requestId": "rq-1", "statusCode": "202", "statusName": "success"})
    assert sens(gateway, caller="0212345678").send(a_message()) == "rq-1"
    path = "/sms/v2/services/ncp:sms:kr:1:bongsu/messages"
    body = (
        '{"type":"SMS","contentType":"COMM","countryCode":"82","from":"0212345678",'
        '"content":"[긴급] 아부자 전원 장애 #418 회신 1","messages":[{"to":"01012345678"}]}'
    ).encode()
    assert gateway.heard == [raw(f"POST {path} HTTP/1.1", f"127.0.0.1:{gateway.port}", sens_headers(path), body)]
    sens(gateway, caller="0212345678").send(a_message(short="", text="가" * 46, address="+44 20 7946 0000"))
    assert gateway.last.json == {
        "type": "LMS",
        "contentType": "COMM",
        "countryCode": "44",
        "from": "0212345678",
        "subject": "[긴급] 아부자 전원 장애 #418",
        "content": "가" * 46,
        "messages": [{"to": "2079460000"}],
    }


@pytest.mark.parametrize(
    ("said", "permanent", "reason"),
    [
        (answer(202, {"statusCode": "400", "statusName": "fail"}), True, "refused"),
        (answer(202, {"statusCode": "500"}), False, "refused"),
        (answer(200, b"<h1>log in</h1>"), False, "unavailable"),
        (answer(401, {"error": {"errorCode": "200", "message": "Authentication Failed"}}), True, "settings"),
        (answer(400, {"errorMessage": "invalid"}), True, "refused"),
        (answer(429, {}), False, "throttled"),
        (answer(500, {}), False, "unavailable"),
    ],
)
def test_sens_says_no(gateway: Gateway, said: bytes, permanent: bool, reason: str) -> None:
    gateway.then = said
    with pytest.raises(SendError) as why:
        sens(gateway, caller="0212345678").send(a_message())
    assert (why.value.permanent, why.value.reason) == (permanent, reason)


TEMPLATE = {
    "kind": "trigger",
    "language": "ko",
    "code": "BS001",
    "text": "[봉수] #{site} 장애 #{incident}\n발생 #{since}",
    "button": "확인",
    "button_url": "#{link}",
}


def test_alimtalk_sends_what_is_registered_and_nothing_else(gateway: Gateway) -> None:
    gateway.then = answer(202, {"requestId": "rq-2", "statusCode": "202"})
    talk = sens(gateway, "sens_alimtalk", "alimtalk", channel_id="@bongsu", templates=[TEMPLATE])
    assert talk.send(a_message()) == "rq-2"
    path = "/alimtalk/v2/services/ncp:sms:kr:1:bongsu/messages"
    body = (
        '{"plusFriendId":"@bongsu","templateCode":"BS001","messages":[{"countryCode":"82","to":"01012345678",'
        '"content":"[봉수] 아부자 장애 418\\n발생 01:42","buttons":[{"type":"WL","name":"확인",'
        '"linkMobile":"https://bongsu.example.org/a/tok3n","linkPc":"https://bongsu.example.org/a/tok3n"}]}]}'
    ).encode()
    assert gateway.heard == [raw(f"POST {path} HTTP/1.1", f"127.0.0.1:{gateway.port}", sens_headers(path), body)]
    refused = (
        (a_message(kind="digest"), "no registered template"),
        (a_message(language="en"), "no registered template"),
        (a_message(fields={"site": "아부자", "since": " "}), "#{since}"),
        (a_message(link=""), "#{link}"),
    )
    for message, text in refused:
        with pytest.raises(SendError, match=text) as why:
            talk.send(message)
        assert (why.value.permanent, why.value.reason) == (True, "message")
    talk.send(a_message(fields={"site": "#{since}", "since": "{x}\n2"}))
    assert gateway.last.json["messages"][0]["content"] == "[봉수] #{since} 장애 418\n발생 {x} 2"
    assert len(gateway.heard) == 2
    nobody = sens(gateway, "sens_alimtalk", "alimtalk", channel_id="@b", templates=[{"code": "B", "text": "#{person}"}])
    with pytest.raises(SendError, match="template variable"):  # who is called is nobody's business outside
        nobody.send(a_message())


def test_a_path_that_cannot_be_asked_for_is_final(gateway: Gateway) -> None:
    with pytest.raises(SendError) as why:
        sens(gateway, caller="02", service_id="a b").send(a_message())
    assert why.value.permanent


def test_a_gateway_of_ones_own(gateway: Gateway) -> None:
    gateway.then = answer(200, {"result_code": "1", "msg_id": 123})
    body = {"key": "{secret}", "receiver": "{to}", "msg": "{text}", "msg_type": "{type}", "title": "{title}"}
    table = {"url": f"{gateway.url}/send/", "body": body, "success_key": "result_code", "success_value": "1"}
    table |= {"receipt_key": "msg_id", "headers": {"X-Key": "{key}"}, "charset": "euc-kr"}
    own = sender("sms_http", "sms", {"secret": "k&y"}, **table)
    assert own.send(a_message(short="장애 {secret} & 1")) == "123"
    form = b"key=k%26y&receiver=01012345678&msg=%C0%E5%BE%D6+%7Bsecret%7D+%26+1&msg_type=SMS"
    headers = [("Content-Type", "application/x-www-form-urlencoded; charset=euc-kr"), ("X-Key", a_message().key)]
    assert gateway.heard == [raw("POST /send/ HTTP/1.1", f"127.0.0.1:{gateway.port}", headers, form)]
    gateway.then = answer(200, {"result_code": -101, "message": "no"})
    with pytest.raises(SendError, match="the gateway says no"):
        own.send(a_message())
    as_json = sender("sms_http", "sms", {}, url=gateway.url, body={"to": "{to}", "t": "{text}"}, encoding="json")
    gateway.then = answer(200, {})
    as_json.send(a_message(address="01012345678"))
    assert gateway.last.body == '{"to":"01012345678","t":"[긴급] 아부자 전원 장애 #418 회신 1"}'.encode()


def test_a_voice_call(gateway: Gateway) -> None:
    gateway.then = answer(202, {"id": "call-9"})
    call = sender("voice", "phone", {"secret": "s"}, url=f"{gateway.url}/call")
    assert call.send(a_message(short="아부자 장애 https://x.example/a/b 입니다")) == "call-9"
    heard = gateway.last
    stamp = heard.headers["Bongsu-Timestamp"]
    assert heard.headers["Bongsu-Signature"] == "sha256=" + hmac_hex("s", stamp.encode() + b"." + heard.body)
    assert heard.json == {
        "version": 1,
        "key": "0f3a9c1e-7-1-kim-sms",
        "to": "01012345678",
        "country": "82",
        "language": "ko",
        "say": "아부자 장애 입니다 확인하셨으면 1번을 눌러 주십시오.",
        "repeat": 2,
        "keys": {"1": "acknowledge"},
        "reference": "0f3a9c1e-7-1-kim-sms",
        "callback": "https://bongsu.example.org/v1/replies/phone",
        "incident": 418,
    }
    call.send(a_message(link="", short="복구"))
    assert (gateway.last.json["say"], gateway.last.json["keys"], gateway.last.json["callback"]) == ("복구", {}, "")


def test_apprise_sends_to_mattermost_and_ntfy(gateway: Gateway) -> None:
    host = f"127.0.0.1:{gateway.port}"
    chat = sender(
        "apprise", "mattermost", {"url": f"mmost://{host}/3ccdd113474722377935511fc85d3dd4?channel={{address}}"}
    )
    chat.send(a_message(address="town-square"))
    assert gateway.last.line == "POST /hooks/3ccdd113474722377935511fc85d3dd4 HTTP/1.1"
    sent = gateway.last.json
    assert sent["channel"] == "town-square"
    assert "아부자 공관의 전원이 끊겼습니다." in sent["text"]
    assert "https://bongsu.example.org/a/tok3n" in sent["text"]
    note = sender("apprise", "ntfy", {"url": f"ntfy://{host}/{{address}}"})
    note.send(a_message(address="duty"))
    assert gateway.last.json["topic"] == "duty"
    gateway.then = answer(503, {})
    with pytest.raises(SendError, match="503") as why:
        note.send(a_message(address="duty"))
    assert (why.value.permanent, why.value.reason) == (False, "unknown")
    gateway.then = answer(302, {}, Location="http://127.0.0.1:9/")
    with pytest.raises(SendError, match="302"):
        note.send(a_message(address="duty"))


@pytest.mark.parametrize(
    ("url", "host"),
    [
        (
            "mmosts://mattermost.example.org/3ccdd113474722377935511fc85d3dd4?channel={address}",
            "mattermost.example.org",
        ),
        ("mmost://mattermost:8065/3ccdd113474722377935511fc85d3dd4", "mattermost"),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/%23general", ""),
        ("tgram://123456789:abcdefg_hijklmnop/{address}", ""),
        ("ntfys://{address}", ""),
        ("ntfys://ntfy.example.org/{address}", "ntfy.example.org"),
        ("workflows://contoso.webhook.office.com:443/workflowid/signature", "contoso.webhook.office.com"),
    ],
)
def test_services_that_apprise_knows(url: str, host: str) -> None:
    assert sender("apprise", "ntfy", {"url": url})
    assert host_of(url) == host


def test_what_apprise_does_not_know() -> None:
    with pytest.raises(SettingsError, match="apprise does not know"):
        sender("apprise", "ntfy", {"url": "gopher://x/y"})


@pytest.mark.parametrize(
    ("said", "permanent", "reason", "wait"),
    [
        (answer(301, {}, Location="http://elsewhere.example/"), True, "refused", None),
        (answer(400, {"why": "bad"}), True, "refused", None),
        (answer(401, {}), True, "settings", None),
        (answer(404, {}), True, "address", None),
        (answer(413, {}), True, "message", None),
        (answer(429, {}, Retry_After="7"), False, "throttled", 7.0),
        (answer(429, {}, Retry_After="Mon, 21 Sep 2026 14:13:50 GMT"), False, "throttled", 30.0),
        (answer(503, {}, Retry_After="999999"), False, "unavailable", 3600.0),
        (answer(503, {}, Retry_After="nan"), False, "unavailable", None),
        (answer(500, {}), False, "unavailable", None),
        (DROP, False, "unreachable", None),
        (HALF, False, "unreachable", None),
        (b"220 smtp.example.org ESMTP\r\n", False, "unreachable", None),
        (answer(200, b"x" * 70_000), False, "unreachable", None),
        (HANG, False, "timeout", None),
    ],
)
def test_what_a_failure_means(gateway: Gateway, said: bytes, permanent: bool, reason: str, wait: float | None) -> None:
    gateway.then = said
    with pytest.raises(SendError) as why:
        sender("webhook", "webhook", {"secret": "s"}, url=gateway.url).send(a_message())
    assert (why.value.permanent, why.value.reason, why.value.retry_after_seconds) == (permanent, reason, wait)
    assert len(gateway.heard) == 1, "a sender never tries twice by itself: that is the outbox's business"


def test_half_sent_and_sent_again_carries_the_same_key(gateway: Gateway) -> None:
    gateway.answers = [DROP]
    hook = sender("webhook", "webhook", {"secret": "s"}, url=gateway.url)
    with pytest.raises(SendError):
        hook.send(a_message())
    hook.send(a_message())
    assert len({one.split(b"Idempotency-Key: ")[1].split(b"\r\n")[0] for one in gateway.heard}) == 1


@pytest.mark.parametrize("kind", ["webhook", "jandi", "naverworks_hook"])
def test_poison_makes_no_header(gateway: Gateway, kind: str) -> None:
    name = {"naverworks_hook": "naverworks"}.get(kind, kind)
    poison = "x\r\nX-Evil: 1\r\n\r\nPOST /evil HTTP/1.1"
    one = sender(kind, name, {"secret": "s", "url": f"{gateway.url}/ok"} if kind != "webhook" else {"secret": "s"})
    if kind == "webhook":
        for address in (
            f"{gateway.url}/{poison}",
            "file:///etc/passwd",
            "http://u:p@h/",
            "http://[",
            "x",
            "http://a b/",
        ):
            with pytest.raises(SendError) as why:
                one.send(a_message(address=address))
            assert (why.value.permanent, why.value.reason) == (True, "address")
        assert not gateway.heard
        one = sender(kind, name, {"secret": "s"}, url=gateway.url)
    one.send(a_message(key=poison, subject=poison, text=poison, short=poison, person=poison))
    assert "X-Evil" not in gateway.last.headers


@pytest.mark.parametrize(
    "address", ["", "kim", "010-1234", "+82 10 1234 5678 9999 1111", "010१२३४५६७८", "010\r\n12345678"]
)
def test_what_is_no_telephone_number(gateway: Gateway, address: str) -> None:
    with pytest.raises(SendError) as why:
        sens(gateway, caller="02").send(a_message(address=address))
    assert (why.value.permanent, why.value.reason) == (True, "address")
    assert not gateway.heard


def test_every_kind_is_in_the_example_file_with_all_it_can_be_told(tmp_path: Path) -> None:
    text = (ROOT / "configs/channels.toml").read_text("utf-8").replace("/etc/bongsu/secrets/", f"{tmp_path}/")
    (tmp_path / "key").write_text("example")
    (tmp_path / "key.pem").write_bytes(
        KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (tmp_path / "url").write_text("ntfys://ntfy.example.org/{address}")
    seen = set()
    for part in text.split("\n[[channels]]\n")[1:]:
        file = tmp_path / "collector.toml"
        file.write_text(f"[[channels]]\n{part}", "utf-8")
        settings = load(file, {})
        (channel,) = settings.channels
        made(settings, channel, Door(Outbound()), HandClock())
        seen.add(channel.kind)
        module = import_module(f"collector.pages.senders.{TABLE[channel.kind].partition(':')[0]}")
        wanted = {f"{o.name}_file" if isinstance(o.default, Secret) else o.name for o in fields(module.Options)}
        if channel.kind == "smtp":
            wanted |= {f"{one.name}_file" if one.name == "mailbox_password" else one.name for one in fields(Mailbox)}
        assert wanted == set(channel.table) - {"reply_secret_file", "reply_auth"}, channel.kind
        for option in fields(module.Options):
            is_plain = isinstance(option.default, (int, str)) and not option.metadata["required"]
            if is_plain and option.default and option.name in channel.table:
                assert channel.table[option.name] == option.default, f"{channel.kind}: {option.name} at its default"
    assert seen == set(TABLE)
