"""A page by mail through a mail server that runs by itself: what ``bongsu channel test`` sends lies in its maildir."""

from __future__ import annotations

import mailbox
import socket
import subprocess
import sys
import time
from email.header import decode_header, make_header
from pathlib import Path

import pytest

from collector.cli import main

pytestmark = [pytest.mark.real, pytest.mark.slow]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def test_a_mail_lies_in_the_maildir(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port, folder = free_port(), tmp_path / "mail"
    listen = f"127.0.0.1:{port}"
    argv = [sys.executable, "-m", "aiosmtpd", "-n", "-l", listen, "-c", "aiosmtpd.handlers.Mailbox", str(folder)]
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        config = tmp_path / "collector.toml"
        table = f'host = "127.0.0.1"\nport = {port}\nsecurity = "plain"\nsender = "bongsu@example.org"\n'
        config.write_text(f'[[channels]]\nname = "email"\nkind = "smtp"\n{table}')
        argv = ["channel", "test", "email", "kim@example.org", "--config", str(config)]
        until = time.monotonic() + 30
        while main(argv) != 0:
            assert time.monotonic() < until, capsys.readouterr().err
            time.sleep(0.2)
        (mail,) = mailbox.Maildir(folder).values()
        assert str(make_header(decode_header(mail["Subject"]))) == "[시험] 봉수 통지 시험입니다"
        assert "조치하실 일은 없습니다." in mail.get_payload(decode=True).decode()
        assert mail["X-RcptTo"] == "kim@example.org"
    finally:
        server.terminate()
        server.wait(10)
