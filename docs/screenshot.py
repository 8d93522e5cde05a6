"""Take a picture of a page: python docs/screenshot.py PAGE.html PICTURE.png [light|dark]; needs chromium."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

page_path, picture, *scheme = sys.argv[1:]
with sync_playwright() as playwright:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
    page = browser.new_page(viewport={"width": 1280, "height": 1440}, color_scheme=(scheme or ["light"])[0])
    page.goto(Path(page_path).resolve().as_uri())
    page.wait_for_selector("#undrawn", state="detached")
    page.screenshot(path=picture)
