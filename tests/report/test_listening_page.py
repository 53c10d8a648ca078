"""The listening page: complete, limited in size, and played by a real browser."""

import json
import queue
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile

from scripts.common.files import write_csv, write_jsonl
from scripts.report import listening_page
from tests.factories.browser import BROWSER
from tests.factories.cuts import sentences_cut

PHONE = 360  # pixels, as wide as a small telephone
SECONDS = {"p0": 1.5, "p1": 2.5}
PROBE = """<script>
(async () => {
  const found = [];
  for (const player of document.querySelectorAll('audio')) {
    const row = {label: player.getAttribute('aria-label'), error: null, played: 0};
    try {
      if (!(player.duration > 0)) await new Promise((ok, no) => {
        player.onloadedmetadata = ok; player.onerror = () => no(player.error.message); player.load(); });
      row.duration = player.duration; player.muted = true; await player.play();
      for (let i = 0; i < 100 && !row.played; i++) {
        await new Promise(ok => setTimeout(ok, 50)); row.played = player.currentTime; }
      player.pause();
    } catch (error) { row.error = String(error); }
    found.push(row);
  }
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  await fetch('URL', {method: 'POST', mode: 'no-cors', body: JSON.stringify({found, wide, width: window.innerWidth})});
})();
</script>"""


class ProbeServer:
    """A local server that the page posts its measurements to."""

    def __enter__(self) -> "ProbeServer":
        self.posts: queue.Queue[bytes] = queue.Queue()
        posts = self.posts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                posts.put(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def wait(self, seconds: float) -> dict:
        return json.loads(self.posts.get(timeout=seconds))


def tone(seconds: float) -> np.ndarray:
    return 0.3 * np.sin(np.arange(round(16000 * seconds)) * 0.1)


@pytest.fixture
def written(tmp_path: Path, call):
    """Two prompts, a modality of text and one of speech; returns the page for a number of megabytes."""
    names = ("prompt", "real")
    cuts = [{**sentences_cut(f"{p}/{part}", sentences=1), "id": f"{p}/{part}"} for p in SECONDS for part in names]
    soundfile.write(tmp_path / "r.flac", tone(20), 16000)
    write_jsonl(tmp_path / "cuts.jsonl", cuts)
    write_jsonl(tmp_path / "prompts.jsonl", [{"id": p, "text": "Tom's <dog>", "topic": "sea"} for p in SECONDS])
    (tmp_path / "speech").mkdir()
    rows = []
    for prompt, seconds in SECONDS.items():
        for seed in (1, 0):
            row = {
                "id": f"{prompt}-{seed}",
                "prompt": prompt,
                "seed": seed,
                "text": f"seed {seed}",
                "perplexity": 41.77,
            }
            rows.append(row)
            soundfile.write(tmp_path / f"speech/{row['id']}.flac", tone(seconds), 16000)
    rows[-1] |= {"text": "", "perplexity": ""}
    (tmp_path / "speech/p1-0.flac").unlink()  # a continuation without symbols has no sound
    write_csv(tmp_path / "judged.csv", list(rows[0]), rows)

    def page(megabytes: float = 5.0) -> Path:
        judged = tmp_path / "judged.csv"
        call(
            listening_page, "--prompts", tmp_path / "prompts.jsonl", "--cuts", tmp_path / "cuts.jsonl",
            "--audio-root", tmp_path, "--modalities", "text-bpe", "phone-raw", "--judged", judged, judged,
            "--spoken", "phone-raw", "--speech", tmp_path / "speech", "--seconds", 6, "--megabytes", megabytes,
            "--output", tmp_path / "listen.html",
        )  # fmt: skip
        return tmp_path / "listen.html"

    return page


def test_each_prompt_has_every_modality_and_the_page_loads_no_other_file(written):
    text = written().read_text()
    assert text.count("<section>") == 2
    assert text.count("<audio") == 2 * 2 + 1, "prompt and real speech of both, one sample that has sound"
    assert "Tom&#x27;s &lt;dog&gt;" in text
    assert "seed 0" in text
    assert "seed 1" not in text
    assert "perplexity 41.8" in text
    assert "no perplexity" in text
    assert "no words" in text
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert 'name="viewport"' in text


def test_the_same_input_gives_the_same_bytes(written):
    assert written().read_bytes() == written().read_bytes()


def test_the_page_stays_under_its_size_and_says_so(written):
    text = written(0.001).read_text()
    assert text.count("<section>") == 1, "one prompt is always shown"
    assert "1 more of 2 prompts are left out" in text


def test_damaged_sound_is_named(written, tmp_path: Path):
    (tmp_path / "speech/p0-0.flac").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"speech/p0-0\.flac: cannot be decoded"):
        written()


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no chromium or chrome on this machine to play the page in")
def test_a_browser_loads_and_plays_every_player_with_its_duration(written, tmp_path: Path):
    with ProbeServer() as server:
        probe = tmp_path / "probe.html"
        probe.write_text(written().read_text().replace("</body>", f"{PROBE.replace('URL', server.url)}</body>"))
        phone = tmp_path / "phone.html"  # a window of a headless Chromium is never narrower than 500 pixels
        phone.write_text(f'<iframe src="{probe.name}" style="width:{PHONE}px;height:700px;border:0"></iframe>')
        browser = subprocess.Popen(
            [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio", "--window-size=500,900",
             "--autoplay-policy=no-user-gesture-required", f"--user-data-dir={tmp_path / 'profile'}", phone.as_uri()],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            found = server.wait(90)
        finally:
            browser.terminate()
            browser.wait(20)
    assert len(found["found"]) == 5
    for player in found["found"]:
        assert player["error"] is None, player
        assert player["played"] > 0, player
        expected = 2.1 if "Phone" not in player["label"] else SECONDS["p0"]
        assert player["duration"] == pytest.approx(expected, abs=0.1), player
    assert found["width"] == PHONE
    assert found["wide"] <= 0, "nothing to scroll sideways on a narrow screen"
