"""The README's pictures, of today's page: `make pictures`."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS, Playground, Server, chromium

FOLDER = Path(__file__).resolve().parents[2] / "docs"


def main() -> None:
    """The opening lesson after the cure, the run before it in grey; a step of it on the way back; and the course. Light
    and dark."""
    server = Server()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            for scheme in ("light", "dark"):
                page = browser.new_page(viewport={"width": 1440, "height": 940}, color_scheme=scheme)
                playground = Playground(page, server.url).open("speed=max")
                playground.wait("playground.step >= 600")
                page.locator(".lv-cure").click()
                playground.wait("document.querySelector('.lv-verdict').dataset.kind === 'solved'", timeout=90_000)
                playground.pause()
                page.screenshot(path=FOLDER / f"playground-{scheme}.png")
                page.get_by_role("link", name="Step through").click()
                page.locator(".st-key-steps_last button").click()
                page.get_by_text("39 steps back").wait_for()
                for back in range(38, 26, -1):
                    page.keyboard.press("ArrowLeft")
                    page.get_by_text(f"{back} steps back").wait_for()
                page.locator("[data-figure=jacobian] .main-svg").first.wait_for()
                page.screenshot(path=FOLDER / f"steps-{scheme}.png")
                page.get_by_role("link", name="Learn").click()
                page.locator(".st-key-card_failure-nan").wait_for()
                page.screenshot(path=FOLDER / f"learn-{scheme}.png")
                page.close()
            browser.close()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
