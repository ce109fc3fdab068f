"""All tables"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")
NUMBER: sa.Double[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
OCTETS = sa.LargeBinary()


def upgrade() -> None:  # noqa: PLR0915 - every table and index by name
    op.create_table(
        "agent_orders",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("created", INTEGER, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("generation", INTEGER, nullable=False),
        sa.Column("refused", TEXT, nullable=False),
        sa.Column("refused_at", INTEGER, nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name="agent_orders_pkey"),
        sqlite_strict=True,
    )
    op.create_index("agent_orders_by_created", "agent_orders", ["tenant", "created"], unique=False)
    op.create_index(
        "agent_orders_by_host_id_refused_created",
        "agent_orders",
        ["tenant", "host_id", "refused", "created"],
        unique=False,
    )
    op.create_table(
        "api_tokens",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("created", INTEGER, nullable=False),
        sa.Column("expires", INTEGER, nullable=True),
        sa.Column("last_used", INTEGER, nullable=True),
        sa.PrimaryKeyConstraint("tenant", "hash", name="api_tokens_pkey"),
        sqlite_strict=True,
    )
    op.create_index("api_tokens_by_name", "api_tokens", ["tenant", "name"], unique=False)
    op.create_table(
        "audit_lines",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("number", INTEGER, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("what", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
        sa.Column("chain", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "number", name="audit_lines_pkey"),
        sqlite_strict=True,
    )
    op.create_index("audit_lines_by_at", "audit_lines", ["tenant", "at"], unique=False)
    op.create_index("audit_lines_by_subject_at", "audit_lines", ["tenant", "subject", "at"], unique=False)
    op.create_index("audit_lines_by_who_at", "audit_lines", ["tenant", "who", "at"], unique=False)
    op.create_table(
        "breaker_places",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("level", TEXT, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "level", "host_id", "key", name="breaker_places_pkey"),
        sqlite_strict=True,
    )
    op.create_index("breaker_places_by_host_id", "breaker_places", ["tenant", "host_id"], unique=False)
    op.create_index("breaker_places_by_key", "breaker_places", ["tenant", "key"], unique=False)
    op.create_index("breaker_places_by_level_at", "breaker_places", ["tenant", "level", "at"], unique=False)
    op.create_table(
        "breaker_trips",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("level", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("ended", INTEGER, nullable=True),
        sa.Column("answer", TEXT, nullable=False),
        sa.Column("answered_by", TEXT, nullable=False),
        sa.Column("answered", INTEGER, nullable=True),
        sa.PrimaryKeyConstraint("tenant", "level", "at", name="breaker_trips_pkey"),
        sqlite_strict=True,
    )
    op.create_index("breaker_trips_by_at", "breaker_trips", ["tenant", "at"], unique=False)
    op.create_index("breaker_trips_by_ended", "breaker_trips", ["tenant", "ended"], unique=False)
    op.create_table(
        "changes",
        sa.Column("sequence", INTEGER, autoincrement=True, nullable=False),
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "cursors",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("sequence", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name="cursors_pkey"),
        sqlite_strict=True,
    )
    op.create_table(
        "deliveries",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("event_id", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("created", INTEGER, nullable=False),
        sa.Column("not_before", INTEGER, nullable=False),
        sa.Column("tries", INTEGER, nullable=False),
        sa.Column("sent", INTEGER, nullable=True),
        sa.Column("error", TEXT, nullable=False),
        sa.Column("route", TEXT, nullable=False),
        sa.Column("topic", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("number", INTEGER, nullable=False),
        sa.Column("opened", INTEGER, nullable=False),
        sa.Column("chain", TEXT, nullable=False),
        sa.Column("failed", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="deliveries_pkey"),
        sqlite_strict=True,
    )
    op.create_index(
        "deliveries_by_channel_state_not_before",
        "deliveries",
        ["tenant", "channel", "state", "not_before"],
        unique=False,
    )
    op.create_index("deliveries_by_created", "deliveries", ["tenant", "created"], unique=False)
    op.create_index("deliveries_by_event_id", "deliveries", ["tenant", "event_id"], unique=False)
    op.create_index(
        "deliveries_by_route_topic_kind_created",
        "deliveries",
        ["tenant", "route", "topic", "kind", "created"],
        unique=False,
    )
    op.create_index("deliveries_by_state_not_before", "deliveries", ["tenant", "state", "not_before"], unique=False)
    op.create_table(
        "enrol_tokens",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("created", INTEGER, nullable=False),
        sa.Column("expires", INTEGER, nullable=False),
        sa.Column("groups", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("used_at", INTEGER, nullable=True),
        sa.Column("used_by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "hash", name="enrol_tokens_pkey"),
        sqlite_strict=True,
    )
    op.create_index("enrol_tokens_by_created", "enrol_tokens", ["tenant", "created"], unique=False)
    op.create_table(
        "escalations",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("route", TEXT, nullable=False),
        sa.Column("topic", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("event_id", TEXT, nullable=False),
        sa.Column("opened", INTEGER, nullable=False),
        sa.Column("due", INTEGER, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("told", INTEGER, nullable=False),
        sa.Column("names", TEXT, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("ended", INTEGER, nullable=True),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("why", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="escalations_pkey"),
        sqlite_strict=True,
    )
    op.create_index("escalations_by_event_id", "escalations", ["tenant", "event_id"], unique=False)
    op.create_index("escalations_by_opened", "escalations", ["tenant", "opened"], unique=False)
    op.create_index("escalations_by_state_due", "escalations", ["tenant", "state", "due"], unique=False)
    op.create_index("escalations_by_topic_opened", "escalations", ["tenant", "topic", "opened"], unique=False)
    op.create_table(
        "events",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("severity", INTEGER, nullable=False),
        sa.Column("topic", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("facts", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="events_pkey"),
        sqlite_strict=True,
    )
    op.create_index("events_by_at", "events", ["tenant", "at"], unique=False)
    op.create_index("events_by_host_id_at", "events", ["tenant", "host_id", "at"], unique=False)
    op.create_index("events_by_kind_at", "events", ["tenant", "kind", "at"], unique=False)
    op.create_index("events_by_severity_at", "events", ["tenant", "severity", "at"], unique=False)
    op.create_index("events_by_sha256_at", "events", ["tenant", "sha256", "at"], unique=False)
    op.create_index("events_by_site_at", "events", ["tenant", "site", "at"], unique=False)
    op.create_index("events_by_topic_at", "events", ["tenant", "topic", "at"], unique=False)
    op.create_table(
        "evidence",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "host_id", "message_id", name="evidence_pkey"),
        sqlite_strict=True,
    )
    op.create_index("evidence_by_at", "evidence", ["tenant", "at"], unique=False)
    op.create_table(
        "executables",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("size", INTEGER, nullable=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("family", TEXT, nullable=False),
        sa.Column("signer", TEXT, nullable=True),
        sa.Column("signer_state", TEXT, nullable=True),
        sa.Column("certificate", TEXT, nullable=True),
        sa.Column("product", TEXT, nullable=True),
        sa.Column("version", TEXT, nullable=True),
        sa.Column("first_seen", INTEGER, nullable=False),
        sa.Column("first_host", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "sha256", name="executables_pkey"),
        sqlite_strict=True,
    )
    op.create_index("executables_by_family", "executables", ["tenant", "family"], unique=False)
    op.create_index("executables_by_first_seen", "executables", ["tenant", "first_seen"], unique=False)
    op.create_index("executables_by_signer", "executables", ["tenant", "signer"], unique=False)
    op.create_table(
        "executions",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=True),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("pid", INTEGER, nullable=False),
        sa.Column("started", INTEGER, nullable=False),
        sa.Column("received", INTEGER, nullable=False),
        sa.Column("user", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("ended", INTEGER, nullable=True),
        sa.Column("end_uncertain", FLAG, nullable=False),
        sa.Column("uncertainty_us", INTEGER, nullable=False),
        sa.Column("sighting", FLAG, nullable=False),
        sa.Column("held", FLAG, nullable=False),
        sa.Column("ran", FLAG, nullable=False),
        sa.Column("parents", TEXT, nullable=False),
        sa.Column("provenance", TEXT, nullable=True),
        sa.Column("proven", FLAG, nullable=False),
        sa.Column("writer", TEXT, nullable=True),
        sa.Column("interpreter", TEXT, nullable=True),
        sa.Column("signer", TEXT, nullable=True),
        sa.Column("signer_state", TEXT, nullable=True),
        sa.Column("certificate", TEXT, nullable=True),
        sa.Column("product", TEXT, nullable=True),
        sa.Column("version", TEXT, nullable=True),
        sa.Column("verdict", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("until", INTEGER, nullable=True),
        sa.Column("made_from", TEXT, nullable=False),
        sa.Column("template", TEXT, nullable=True),
        sa.Column("in_transaction", FLAG, nullable=True),
        sa.Column("judgeable", FLAG, nullable=False),
        sa.Column("rules", TEXT, nullable=False),
        sa.Column("span", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="executions_pkey"),
        sqlite_strict=True,
    )
    op.create_index("executions_by_ended", "executions", ["tenant", "ended"], unique=False)
    op.create_index("executions_by_host_id_started", "executions", ["tenant", "host_id", "started"], unique=False)
    op.create_index("executions_by_received", "executions", ["tenant", "received"], unique=False)
    op.create_index("executions_by_sha256_started", "executions", ["tenant", "sha256", "started"], unique=False)
    op.create_index(
        "executions_by_span_ended_started_id", "executions", ["tenant", "span", "ended", "started", "id"], unique=False
    )
    op.create_index(
        "executions_by_span_started_id_ended", "executions", ["tenant", "span", "started", "id", "ended"], unique=False
    )
    op.create_index("executions_by_started", "executions", ["tenant", "started"], unique=False)
    op.create_table(
        "generations",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("value", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="generations_pkey"),
        sqlite_strict=True,
    )
    op.create_table(
        "grace_slots",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.Column("until", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "rule", "sha256", "host_id", name="grace_slots_pkey"),
        sqlite_strict=True,
    )
    op.create_index("grace_slots_by_host_id", "grace_slots", ["tenant", "host_id"], unique=False)
    op.create_index("grace_slots_by_sha256", "grace_slots", ["tenant", "sha256"], unique=False)
    op.create_index("grace_slots_by_until", "grace_slots", ["tenant", "until"], unique=False)
    op.create_table(
        "host_executables",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("first", INTEGER, nullable=False),
        sa.Column("last", INTEGER, nullable=False),
        sa.Column("starts", INTEGER, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("verdict", TEXT, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("facts", TEXT, nullable=False),
        sa.Column("ran", FLAG, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "host_id", "sha256", name="host_executables_pkey"),
        sqlite_strict=True,
    )
    op.create_index(
        "host_executables_by_first_host_id_sha256",
        "host_executables",
        ["tenant", "first", "host_id", "sha256"],
        unique=False,
    )
    op.create_index("host_executables_by_sha256_first", "host_executables", ["tenant", "sha256", "first"], unique=False)
    op.create_table(
        "host_states",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("posture", TEXT, nullable=False),
        sa.Column("posture_reason", TEXT, nullable=False),
        sa.Column("access", TEXT, nullable=False),
        sa.Column("access_reason", TEXT, nullable=False),
        sa.Column("generation", INTEGER, nullable=False),
        sa.Column("since", INTEGER, nullable=False),
        sa.Column("ordered", TEXT, nullable=False),
        sa.Column("ordered_by", TEXT, nullable=False),
        sa.Column("ordered_why", TEXT, nullable=False),
        sa.Column("ordered_at", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "host_id", name="host_states_pkey"),
        sqlite_strict=True,
    )
    op.create_index("host_states_by_access_since", "host_states", ["tenant", "access", "since"], unique=False)
    op.create_index("host_states_by_generation", "host_states", ["tenant", "generation"], unique=False)
    op.create_index("host_states_by_posture_since", "host_states", ["tenant", "posture", "since"], unique=False)
    op.create_table(
        "hosts",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.Column("groups", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("user", TEXT, nullable=False),
        sa.Column("public_key", OCTETS, nullable=False),
        sa.Column("enrolled_at", INTEGER, nullable=False),
        sa.Column("last_evidence", INTEGER, nullable=True),
        sa.Column("operation", TEXT, nullable=False),
        sa.Column("sensor", TEXT, nullable=False),
        sa.Column("agent_version", TEXT, nullable=False),
        sa.Column("image", TEXT, nullable=False),
        sa.Column("clock_offset_us", INTEGER, nullable=False),
        sa.Column("clock_uncertainty_us", INTEGER, nullable=False),
        sa.Column("cleared_at", INTEGER, nullable=True),
        sa.Column("never_quarantine", FLAG, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "host_id", name="hosts_pkey"),
        sqlite_strict=True,
    )
    op.create_index("hosts_by_last_evidence", "hosts", ["tenant", "last_evidence"], unique=False)
    op.create_index("hosts_by_name", "hosts", ["tenant", "name"], unique=False)
    op.create_index("hosts_by_public_key", "hosts", ["tenant", "public_key"], unique=False)
    op.create_index("hosts_by_site_enrolled_at", "hosts", ["tenant", "site", "enrolled_at"], unique=False)
    op.create_table(
        "joined_events",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("delivery_id", TEXT, nullable=False),
        sa.Column("event_id", TEXT, nullable=False),
        sa.Column("position", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "delivery_id", "event_id", name="joined_events_pkey"),
        sqlite_strict=True,
    )
    op.create_index(
        "joined_events_by_delivery_id_position", "joined_events", ["tenant", "delivery_id", "position"], unique=False
    )
    op.create_index("joined_events_by_event_id", "joined_events", ["tenant", "event_id"], unique=False)
    op.create_table(
        "list_entries",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("why", TEXT, nullable=False),
        sa.Column("ticket", TEXT, nullable=False),
        sa.Column("created", INTEGER, nullable=False),
        sa.Column("expires", INTEGER, nullable=True),
        sa.Column("confirmed", FLAG, nullable=False),
        sa.Column("batch", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("proven", FLAG, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="list_entries_pkey"),
        sqlite_strict=True,
    )
    op.create_index("list_entries_by_action_created", "list_entries", ["tenant", "action", "created"], unique=False)
    op.create_index("list_entries_by_batch", "list_entries", ["tenant", "batch"], unique=False)
    op.create_index("list_entries_by_confirmed", "list_entries", ["tenant", "confirmed"], unique=False)
    op.create_index("list_entries_by_created", "list_entries", ["tenant", "created"], unique=False)
    op.create_index("list_entries_by_expires", "list_entries", ["tenant", "expires"], unique=False)
    op.create_index("list_entries_by_kind_value", "list_entries", ["tenant", "kind", "value"], unique=False)
    op.create_table(
        "listings",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("part", INTEGER, nullable=False),
        sa.Column("lines", OCTETS, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "host_id", "part", name="listings_pkey"),
        sqlite_strict=True,
    )
    op.create_index("listings_by_part", "listings", ["tenant", "part"], unique=False)
    op.create_table(
        "logins",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("user", TEXT, nullable=False),
        sa.Column("created", INTEGER, nullable=False),
        sa.Column("expires", INTEGER, nullable=False),
        sa.Column("csrf", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "hash", name="logins_pkey"),
        sqlite_strict=True,
    )
    op.create_index("logins_by_expires", "logins", ["tenant", "expires"], unique=False)
    op.create_index("logins_by_user", "logins", ["tenant", "user"], unique=False)
    op.create_table(
        "mac_access",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("mac", TEXT, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("access", TEXT, nullable=False),
        sa.Column("generation", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "mac", name="mac_access_pkey"),
        sqlite_strict=True,
    )
    op.create_index("mac_access_by_generation", "mac_access", ["tenant", "generation"], unique=False)
    op.create_index("mac_access_by_host_id", "mac_access", ["tenant", "host_id"], unique=False)
    op.create_table(
        "mac_bindings",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("mac", TEXT, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("bound_at", INTEGER, nullable=False),
        sa.Column("proved_at", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "mac", "host_id", name="mac_bindings_pkey"),
        sqlite_strict=True,
    )
    op.create_index("mac_bindings_by_host_id", "mac_bindings", ["tenant", "host_id"], unique=False)
    op.create_table(
        "nas",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("nas_id", TEXT, nullable=False),
        sa.Column("address", TEXT, nullable=False),
        sa.Column("secret", OCTETS, nullable=False),
        sa.Column("listener", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("profile", TEXT, nullable=False),
        sa.Column("coa_address", TEXT, nullable=False),
        sa.Column("coa_port", INTEGER, nullable=True),
        sa.Column("coa_secret", OCTETS, nullable=True),
        sa.Column("require_message_authenticator", FLAG, nullable=False),
        sa.Column("site", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "nas_id", name="nas_pkey"),
        sqlite_strict=True,
    )
    op.create_index("nas_by_listener_address", "nas", ["tenant", "listener", "address"], unique=False)
    op.create_table(
        "neighbours",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("mac", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("since", INTEGER, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.Column("switch", TEXT, nullable=False),
        sa.Column("port", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("chassis", TEXT, nullable=False),
        sa.Column("address", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "host_id", "mac", "source", "since", name="neighbours_pkey"),
        sqlite_strict=True,
    )
    op.create_index("neighbours_by_at", "neighbours", ["tenant", "at"], unique=False)
    op.create_table(
        "orders",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("mac", TEXT, nullable=False),
        sa.Column("access", TEXT, nullable=False),
        sa.Column("generation", INTEGER, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("created", INTEGER, nullable=False),
        sa.Column("changed", INTEGER, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("nas_id", TEXT, nullable=False),
        sa.Column("session", OCTETS, nullable=True),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("tightens", FLAG, nullable=False),
        sa.Column("method", INTEGER, nullable=False),
        sa.Column("tries", INTEGER, nullable=False),
        sa.Column("datagram", OCTETS, nullable=False),
        sa.Column("identifier", INTEGER, nullable=True),
        sa.Column("source_port", INTEGER, nullable=True),
        sa.Column("not_before", INTEGER, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("superseding", FLAG, nullable=False),
        sa.Column("sent_at", INTEGER, nullable=False),
        sa.Column("id_set", INTEGER, nullable=False),
        sa.Column("refreshed", FLAG, nullable=False),
        sa.Column("told", FLAG, nullable=False),
        sa.Column("named", OCTETS, nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name="orders_pkey"),
        sqlite_strict=True,
    )
    op.create_index("orders_by_created", "orders", ["tenant", "created"], unique=False)
    op.create_index("orders_by_generation", "orders", ["tenant", "generation"], unique=False)
    op.create_index("orders_by_host_id_created", "orders", ["tenant", "host_id", "created"], unique=False)
    op.create_index("orders_by_mac_generation", "orders", ["tenant", "mac", "generation"], unique=False)
    op.create_index("orders_by_nas_id_session", "orders", ["tenant", "nas_id", "session"], unique=False)
    op.create_index("orders_by_state_not_before", "orders", ["tenant", "state", "not_before"], unique=False)
    op.create_table(
        "passes",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("until", INTEGER, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "host_id", "sha256", name="passes_pkey"),
        sqlite_strict=True,
    )
    op.create_table(
        "past_entries",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("removed", INTEGER, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("entry", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", "removed", name="past_entries_pkey"),
        sqlite_strict=True,
    )
    op.create_index("past_entries_by_kind_value", "past_entries", ["tenant", "kind", "value"], unique=False)
    op.create_table(
        "posture_reasons",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("posture", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("move", FLAG, nullable=False),
        sa.Column("contained", FLAG, nullable=False),
        sa.Column("placed", FLAG, nullable=False),
        sa.Column("outcomes", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "host_id", "key", name="posture_reasons_pkey"),
        sqlite_strict=True,
    )
    op.create_index("posture_reasons_by_key", "posture_reasons", ["tenant", "key"], unique=False)
    op.create_index("posture_reasons_by_posture_at", "posture_reasons", ["tenant", "posture", "at"], unique=False)
    op.create_table(
        "precedents",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.Column("verdict", TEXT, nullable=False),
        sa.Column("signer_state", TEXT, nullable=True),
        sa.Column("product", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("tenant", "kind", "key", name="precedents_pkey"),
        sqlite_strict=True,
    )
    op.create_index("precedents_by_sha256", "precedents", ["tenant", "sha256"], unique=False)
    op.create_table(
        "prevalence",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("hosts", INTEGER, nullable=False),
        sa.Column("first", INTEGER, nullable=False),
        sa.Column("last", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "sha256", "scope", name="prevalence_pkey"),
        sqlite_strict=True,
    )
    op.create_table(
        "rings",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("hosts", TEXT, nullable=False),
        sa.Column("users", TEXT, nullable=False),
        sa.Column("first", INTEGER, nullable=False),
        sa.Column("incident", FLAG, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "sha256", name="rings_pkey"),
        sqlite_strict=True,
    )
    op.create_table(
        "script_runs",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("script", TEXT, nullable=False),
        sa.Column("event_id", TEXT, nullable=False),
        sa.Column("host_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("created", INTEGER, nullable=False),
        sa.Column("not_before", INTEGER, nullable=False),
        sa.Column("sequence", INTEGER, nullable=False),
        sa.Column("tries", INTEGER, nullable=False),
        sa.Column("started", INTEGER, nullable=True),
        sa.Column("ended", INTEGER, nullable=True),
        sa.Column("exit_code", INTEGER, nullable=True),
        sa.Column("output", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="script_runs_pkey"),
        sqlite_strict=True,
    )
    op.create_index("script_runs_by_created", "script_runs", ["tenant", "created"], unique=False)
    op.create_index("script_runs_by_host_id_sequence", "script_runs", ["tenant", "host_id", "sequence"], unique=False)
    op.create_index("script_runs_by_state_sequence", "script_runs", ["tenant", "state", "sequence"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("nas_id", TEXT, nullable=False),
        sa.Column("session", OCTETS, nullable=False),
        sa.Column("mac", TEXT, nullable=False),
        sa.Column("port", TEXT, nullable=False),
        sa.Column("ids", TEXT, nullable=False),
        sa.Column("started", INTEGER, nullable=False),
        sa.Column("updated", INTEGER, nullable=False),
        sa.Column("ended", INTEGER, nullable=True),
        sa.Column("generation", INTEGER, nullable=True),
        sa.Column("access", TEXT, nullable=True),
        sa.Column("vlan", TEXT, nullable=False),
        sa.Column("shown", FLAG, nullable=False),
        sa.Column("presumed", FLAG, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "nas_id", "session", name="sessions_pkey"),
        sqlite_strict=True,
    )
    op.create_index("sessions_by_ended", "sessions", ["tenant", "ended"], unique=False)
    op.create_index("sessions_by_mac_ended", "sessions", ["tenant", "mac", "ended"], unique=False)
    op.create_index("sessions_by_nas_id_port", "sessions", ["tenant", "nas_id", "port"], unique=False)
    op.create_index("sessions_by_updated", "sessions", ["tenant", "updated"], unique=False)
    op.create_table(
        "settings",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("version", INTEGER, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name="settings_pkey"),
        sqlite_strict=True,
    )
    op.create_table(
        "tools",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("home", TEXT, nullable=False),
        sa.Column("never_signed", FLAG, nullable=False),
        sa.Column("makes", TEXT, nullable=False),
        sa.Column("confirmed", FLAG, nullable=False),
        sa.Column("trust", TEXT, nullable=False),
        sa.Column("hours", INTEGER, nullable=False),
        sa.Column("max_hosts", INTEGER, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("at", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "sha256", name="tools_pkey"),
        sqlite_strict=True,
    )
    op.create_table(
        "users",
        sa.Column("tenant", INTEGER, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("password", TEXT, nullable=False),
        sa.Column("sites", TEXT, nullable=False),
        sa.Column("one_time", FLAG, nullable=False),
        sa.Column("created", INTEGER, nullable=False),
        sa.Column("disabled", FLAG, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name="users_pkey"),
        sqlite_strict=True,
    )
