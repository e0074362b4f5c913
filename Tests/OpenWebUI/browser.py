"""Open WebUI as a person uses it: in Chromium, by what is on the page."""

import os
import re

from playwright.sync_api import expect, sync_playwright

# Nothing on the page may reach anything but this machine.
OPTIONS = ["--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
OPTIONS += ["--no-sandbox"] if os.geteuid() == 0 else []


class Browser:
    """One person's window."""

    def __init__(self, url):
        self.url = url

    def __enter__(self):
        self.playwright = sync_playwright().start()
        self.chromium = self.playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=OPTIONS)
        context = self.chromium.new_context(
            viewport={"width": 1000, "height": 640}, locale="en-US", reduced_motion="reduce")
        self.page = context.new_page()
        self.page.set_default_timeout(20_000)
        expect.set_options(timeout=20_000)
        return self

    def __exit__(self, *_):
        self.chromium.close()
        self.playwright.stop()

    def button(self, name):
        return self.page.get_by_role("button", name=name)

    def sign_up(self):
        """Becomes the first person, who is the administrator."""
        self.page.goto(self.url)
        self.button("Get started").click()
        self.page.locator("#name").fill("Ada")
        self.page.locator("#email").fill("ada@example.org")
        self.page.locator("#password").fill("only for this test")
        self.button("Create Admin Account").click()
        self.button("Okay, Let's Go!").click()

    def begin(self, *models, temporary=False):
        """A new chat with these models, by the address that Open WebUI has for that."""
        query = f"/?models={','.join(models)}&temporary-chat={str(temporary).lower()}"
        self.page.goto(self.url + query)
        expect(self.page.locator("#chat-input")).to_be_visible()

    def choose(self, name):
        """Chooses a model from the list."""
        self.button("Selected model").click()
        self.page.get_by_label(f"Select {name} model").click()
        expect(self.button(f"Selected model: {name}")).to_be_visible()

    def ask(self, question):
        self.page.locator("#chat-input").click()
        self.page.keyboard.type(question)
        self.page.keyboard.press("Enter")

    def edit_question(self, question):
        """Edits the latest question and sends it."""
        message = self.page.locator(".user-message").last
        message.hover()
        message.get_by_role("button", name="Edit").click()
        message.locator("textarea").fill(question)
        message.get_by_role("button", name="Send", exact=True).click()

    @property
    def answer(self):
        """The latest answer."""
        return self.page.locator(".chat-assistant").last

    def wait_for(self, text):
        """Waits until the latest answer contains the text."""
        expect(self.answer).to_contain_text(text)

    def stop(self):
        self.page.get_by_role("button", name="Stop", exact=True).click()

    def regenerate(self):
        self.button("Regenerate").last.click()
        self.button("Try Again").click()

    def wait_for_end(self):
        """Waits until nothing is being answered."""
        expect(self.page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)

    @property
    def chat_id(self):
        """The chat's id, from its address, once it has one."""
        self.page.wait_for_url(re.compile("/c/"))
        return self.page.url.rsplit("/", 1)[1]
