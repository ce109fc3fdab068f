"""The console: pages for people, rendered on the server, live by one event stream.

Guarantees: every page but the login needs one; every change is a POST with the login's CSRF value; nothing that an
endpoint named is ever markup (autoescape), and the browser is told to load nothing but this console's own two files. The
pages work without scripts; the script only fetches the same page again when something changed.

`routes.router()` is what `api/front.py` mounts; it expects `app.state.service` (api/service.py) and `app.state.live`
(hub.py). Nothing is imported here, so that `hub.py` alone is cheap.
"""
