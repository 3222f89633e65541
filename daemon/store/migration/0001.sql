-- Version 1. Times are milliseconds of wall time, NULL where not set; dates are 'YYYY-MM-DD' and times of
-- day 'HH:MM' in the unit's zone; flags are 0 or 1; digests, keys and pseudonyms are blobs.
--
-- A table whose rows fall due has: next_at (NULL: nothing left to do), lease_until, fence (grows with
-- each claim), claims (claims that have not ended), quarantined.
--
-- Lists of words in the tables of the hot path are written with OR: of an IN of more than two SQLite makes
-- a table for each row that is written.

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

---------------------------------------------------------------- units, staff, sessions

CREATE TABLE unit (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    zone       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    phone      TEXT -- what persons call who cannot come through; NULL: none was given
) STRICT;

-- The tables of the zones by which the check-ins ahead are placed.
CREATE TABLE zone_table (
    name    TEXT PRIMARY KEY,
    version TEXT NOT NULL
) STRICT;

CREATE TABLE staff (
    id              INTEGER PRIMARY KEY,
    login           TEXT NOT NULL UNIQUE COLLATE NOCASE,
    name            TEXT NOT NULL,
    password        TEXT NOT NULL, -- encoded Argon2id
    must_change     INTEGER NOT NULL DEFAULT 0 CHECK (must_change IN (0, 1)),
    roles           INTEGER NOT NULL CHECK (roles BETWEEN 1 AND 15), -- CK_ROLE_*
    unit_id         INTEGER NOT NULL REFERENCES unit,
    language        TEXT NOT NULL CHECK (language IN ('kk', 'ru', 'en')),
    email           TEXT,
    phone           TEXT,
    on_duty         INTEGER NOT NULL DEFAULT 0 CHECK (on_duty IN (0, 1)),
    disabled_at     INTEGER,
    disabled_reason TEXT,
    totp_key        BLOB, -- wrapped; NULL: no second factor
    totp_pending    BLOB, -- wrapped; waits to be confirmed
    totp_step       INTEGER NOT NULL DEFAULT 0, -- codes up to this one are used up
    pseudonym       BLOB NOT NULL UNIQUE CHECK (length(pseudonym) = 16),
    created_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX staff_unit ON staff (unit_id);

CREATE TABLE session (
    id         INTEGER PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    staff_id   INTEGER REFERENCES staff,
    person_id  INTEGER REFERENCES person,
    checkin_id INTEGER REFERENCES checkin, -- the check-in that the person's link was bound to
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER,
    peer       TEXT NOT NULL,
    device     TEXT,
    enrolment  INTEGER NOT NULL DEFAULT 0 CHECK (enrolment IN (0, 1)), -- of an enrolment link
    device_id  INTEGER REFERENCES device, -- the person's own phone that it is known to be on
    CHECK ((staff_id IS NULL) <> (person_id IS NULL))
) STRICT;
CREATE INDEX session_staff ON session (staff_id) WHERE staff_id IS NOT NULL;
CREATE INDEX session_person ON session (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX session_device ON session (device_id) WHERE device_id IS NOT NULL;

---------------------------------------------------------------- who is there when

-- Wall times of the staff member's unit. Whoever has shifts is there within them, whoever has none always;
-- absences are taken out of both. Rows that are taken out stay, so that what held at a time can be told.
CREATE TABLE shift (
    id         INTEGER PRIMARY KEY,
    staff_id   INTEGER NOT NULL REFERENCES staff,
    kind       TEXT NOT NULL CHECK (kind IN ('work', 'duty')), -- duty: in the duty room, takes what climbs
    weekday    INTEGER NOT NULL CHECK (weekday BETWEEN 0 AND 6), -- of its start; Monday is 0
    from_date  TEXT NOT NULL,
    until_date TEXT NOT NULL, -- last date of its start; '9999-12-31': without end
    start_time TEXT NOT NULL,
    end_time   TEXT NOT NULL, -- not after the start: of the next day
    by_staff   INTEGER NOT NULL REFERENCES staff,
    created_at INTEGER NOT NULL,
    removed_at INTEGER
) STRICT;
CREATE INDEX shift_staff ON shift (staff_id, until_date) WHERE removed_at IS NULL;

-- Falls due when it begins and when it ends: the caseload goes to a stand-in and comes back.
CREATE TABLE absence (
    id          INTEGER PRIMARY KEY,
    staff_id    INTEGER NOT NULL REFERENCES staff,
    from_local  TEXT NOT NULL, -- 'YYYY-MM-DDTHH:MM' as entered; the instants follow from it and the zone
    until_local TEXT NOT NULL,
    from_at     INTEGER NOT NULL,
    until_at    INTEGER NOT NULL CHECK (until_at > from_at),
    reason      TEXT NOT NULL CHECK (reason IN ('leave', 'sick', 'training', 'other')),
    stand_in_id INTEGER REFERENCES staff, -- NULL: the first of the stand-ins who is not absent
    by_staff    INTEGER NOT NULL REFERENCES staff,
    created_at  INTEGER NOT NULL,
    removed_at  INTEGER,
    next_at     INTEGER,
    lease_until INTEGER,
    fence       INTEGER NOT NULL DEFAULT 0,
    claims      INTEGER NOT NULL DEFAULT 0,
    quarantined INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1))
) STRICT;
CREATE INDEX absence_staff ON absence (staff_id, until_at) WHERE removed_at IS NULL;
CREATE INDEX absence_due ON absence (next_at) WHERE next_at IS NOT NULL AND quarantined = 0;

-- Who stands in for whom, in the order in which they are asked.
CREATE TABLE stand_in (
    staff_id    INTEGER NOT NULL REFERENCES staff,
    rank        INTEGER NOT NULL,
    stand_in_id INTEGER NOT NULL REFERENCES staff,
    PRIMARY KEY (staff_id, rank),
    UNIQUE (staff_id, stand_in_id),
    CHECK (staff_id <> stand_in_id)
) STRICT, WITHOUT ROWID;

-- Who has an absent inspector's caseload at present: what scopes are asked with.
CREATE TABLE cover (
    inspector_id INTEGER PRIMARY KEY REFERENCES staff,
    staff_id     INTEGER NOT NULL REFERENCES staff,
    since_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX cover_staff ON cover (staff_id);

---------------------------------------------------------------- persons, orders, plans

CREATE TABLE person (
    id                INTEGER PRIMARY KEY,
    reference         TEXT NOT NULL UNIQUE, -- "P-4821"
    name              TEXT NOT NULL,
    birth_date        TEXT NOT NULL,
    phone             TEXT,
    email             TEXT,
    language          TEXT NOT NULL CHECK (language IN ('kk', 'ru', 'en')),
    address           TEXT,
    note              TEXT,
    unit_id           INTEGER NOT NULL REFERENCES unit,
    inspector_id      INTEGER NOT NULL REFERENCES staff,
    band              TEXT NOT NULL CHECK (band IN ('low', 'medium', 'high', 'top')),
    pseudonym         BLOB NOT NULL UNIQUE CHECK (length(pseudonym) = 16),
    salt              BLOB CHECK (length(salt) = 32), -- NULL once erased
    notice_version    INTEGER NOT NULL DEFAULT 0,     -- rights and recording notice acknowledged
    notice_at         INTEGER,
    last_contact_at   INTEGER,                        -- last accepted contact
    max_silence_ms    INTEGER NOT NULL DEFAULT 0,     -- the shortest of the plans that serve now; 0: not watched
    silence_since_at  INTEGER,                        -- last contact, when the watch began, or a conclusion of its incident
    silence_before_at INTEGER,                        -- what it was before that conclusion
    silence_span_ms   INTEGER NOT NULL DEFAULT 0,     -- how long this silence may last
    silence_look_at   INTEGER,                        -- when a plan begins or leaves
    silence_excused_ms INTEGER NOT NULL DEFAULT 0,    -- of the time since then
    silence_alarmed   INTEGER NOT NULL DEFAULT 0 CHECK (silence_alarmed IN (0, 1)),
    created_at        INTEGER NOT NULL,
    next_at           INTEGER,                        -- when the silence is too long, or a plan begins or leaves
    lease_until       INTEGER,
    fence             INTEGER NOT NULL DEFAULT 0,
    claims            INTEGER NOT NULL DEFAULT 0,
    quarantined       INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1))
) STRICT;
CREATE INDEX person_unit ON person (unit_id);
CREATE INDEX person_inspector ON person (inspector_id);
CREATE INDEX person_due ON person (next_at) WHERE next_at IS NOT NULL AND quarantined = 0;

CREATE TABLE photo (
    id         INTEGER PRIMARY KEY,
    person_id  INTEGER NOT NULL REFERENCES person,
    checkin_id INTEGER REFERENCES checkin, -- a check-in's thumbnail; NULL: the reference photo
    key        BLOB,                       -- wrapped; NULL once erased
    nonce      BLOB,
    bytes      BLOB,                       -- sealed JPEG
    by_staff   INTEGER REFERENCES staff,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX photo_person ON photo (person_id, id);
CREATE UNIQUE INDEX photo_checkin ON photo (checkin_id) WHERE checkin_id IS NOT NULL;

-- The persons' own phones: the public half of a key that their browser made.
CREATE TABLE device (
    id             INTEGER PRIMARY KEY,
    person_id      INTEGER NOT NULL REFERENCES person,
    public_key     BLOB NOT NULL CHECK (length(public_key) = 65),
    name           TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    entered_at     INTEGER, -- the challenge it last came in with
    revoked_at     INTEGER,
    revoked_by     INTEGER REFERENCES staff,
    revoked_reason TEXT
) STRICT;
CREATE INDEX device_person ON device (person_id);

CREATE TABLE contact_order (
    id                  INTEGER PRIMARY KEY,
    person_id           INTEGER NOT NULL REFERENCES person,
    kind                TEXT NOT NULL CHECK (kind IN ('protective_order', 'special_requirements', 'official_warning', 'other')),
    article             TEXT NOT NULL,
    number              TEXT NOT NULL,
    issuer              TEXT NOT NULL,
    from_date           TEXT NOT NULL,
    until_date          TEXT NOT NULL,
    conditions          TEXT NOT NULL,
    per_day_max         INTEGER NOT NULL CHECK (per_day_max BETWEEN 1 AND 24), -- contacts of any kind on one date
    hours_start         TEXT NOT NULL,
    hours_end           TEXT NOT NULL, -- not after hours_start: past midnight
    version             INTEGER NOT NULL DEFAULT 1,
    ended_date          TEXT, -- from this date on it is not in force
    ended_reason        TEXT,
    created_at          INTEGER NOT NULL,
    next_at             INTEGER, -- when it is over; NULL: it is, and its plans have ended
    lease_until         INTEGER,
    fence               INTEGER NOT NULL DEFAULT 0,
    claims              INTEGER NOT NULL DEFAULT 0,
    quarantined         INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1))
) STRICT;
CREATE INDEX contact_order_person ON contact_order (person_id);
CREATE INDEX contact_order_due ON contact_order (next_at) WHERE next_at IS NOT NULL AND quarantined = 0;

-- What an order requires: so many contacts in so many days, in one of these ways.
CREATE TABLE requirement (
    id          INTEGER PRIMARY KEY,
    order_id    INTEGER NOT NULL REFERENCES contact_order,
    source      TEXT NOT NULL CHECK (source IN ('court', 'statute', 'agency')),
    count       INTEGER NOT NULL CHECK (count >= 1),
    days        INTEGER NOT NULL CHECK (days BETWEEN 0 AND 31), -- 0: a calendar month
    modes       TEXT NOT NULL, -- JSON list of in_person, live, unattended
    mandatory   INTEGER NOT NULL CHECK (mandatory IN (0, 1)),
    replaces    INTEGER NOT NULL CHECK (replaces IN (0, 1)), -- a video contact takes the place of a visit
    citation    TEXT,          -- the text that allows it
    proposer_id INTEGER REFERENCES staff,
    approver_id INTEGER REFERENCES staff,
    CHECK (replaces = 0 OR (citation IS NOT NULL AND proposer_id IS NOT NULL AND approver_id IS NOT NULL
                            AND proposer_id <> approver_id))
) STRICT;
CREATE INDEX requirement_order ON requirement (order_id);

-- Times in which a person owes no contact.
CREATE TABLE blackout (
    id          INTEGER PRIMARY KEY,
    person_id   INTEGER NOT NULL REFERENCES person,
    source      TEXT NOT NULL CHECK (source IN ('court', 'hospital', 'custody', 'absence')),
    reason      TEXT NOT NULL,
    from_at     INTEGER NOT NULL,
    until_at    INTEGER NOT NULL CHECK (until_at >= from_at),
    by_staff    INTEGER NOT NULL REFERENCES staff,
    approver_id INTEGER NOT NULL REFERENCES staff,
    created_at  INTEGER NOT NULL,
    CHECK (source <> 'absence' OR approver_id <> by_staff)
) STRICT;
CREATE INDEX blackout_person ON blackout (person_id, until_at);

-- The epoch key of the random draws: committed in the log before its plans, revealed afterwards.
CREATE TABLE draw_key (
    id          INTEGER PRIMARY KEY, -- the number of the epoch: 28 days, counted from 1970
    wrapped     BLOB NOT NULL,       -- under the master key
    commitment  BLOB NOT NULL CHECK (length(commitment) = 32),
    revealed_at INTEGER,
    created_at  INTEGER NOT NULL,
    next_at     INTEGER,             -- when nothing can be drawn with it any more and it is revealed
    lease_until INTEGER,
    fence       INTEGER NOT NULL DEFAULT 0,
    claims      INTEGER NOT NULL DEFAULT 0,
    quarantined INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1)),
    CHECK ((revealed_at IS NULL) = (next_at IS NOT NULL))
) STRICT;
CREATE INDEX draw_key_due ON draw_key (next_at) WHERE next_at IS NOT NULL AND quarantined = 0;

CREATE TABLE plan (
    id             INTEGER PRIMARY KEY,
    person_id      INTEGER NOT NULL REFERENCES person,
    order_id       INTEGER NOT NULL REFERENCES contact_order,
    version        INTEGER NOT NULL DEFAULT 1,
    kind           TEXT NOT NULL CHECK (kind IN ('live', 'unattended')),
    mandatory      INTEGER NOT NULL CHECK (mandatory IN (0, 1)),
    rule           TEXT NOT NULL, -- the PlanRequest as canonical JSON
    state          TEXT NOT NULL CHECK (state IN ('active', 'ended')),
    ended_at       INTEGER,
    ended_reason   TEXT,
    expanded_until TEXT, -- last local date whose occurrences exist
    begins_date    TEXT NOT NULL, -- first date that it serves
    until_date     TEXT, -- last date that it serves: the next begins the plan that takes its place
    replaces_id    INTEGER REFERENCES plan, -- the plan that serves until this one begins
    created_at     INTEGER NOT NULL,
    next_at        INTEGER,
    lease_until    INTEGER,
    fence          INTEGER NOT NULL DEFAULT 0,
    claims         INTEGER NOT NULL DEFAULT 0,
    quarantined    INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1)),
    CHECK (state <> 'active' OR next_at IS NOT NULL)
) STRICT;
CREATE INDEX plan_person ON plan (person_id);
CREATE INDEX plan_order ON plan (order_id);
CREATE INDEX plan_replaces ON plan (replaces_id) WHERE replaces_id IS NOT NULL;
CREATE INDEX plan_due ON plan (next_at) WHERE next_at IS NOT NULL AND quarantined = 0;

CREATE TABLE plan_version (
    plan_id    INTEGER NOT NULL REFERENCES plan,
    version    INTEGER NOT NULL,
    rule       TEXT NOT NULL,
    by_staff   INTEGER NOT NULL REFERENCES staff,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (plan_id, version)
) STRICT, WITHOUT ROWID;

---------------------------------------------------------------- risk: a compartment of its own

-- Scores of the risk form and judgements beside them, each sealed under a key of its own. Nothing here is part of
-- any other query: a read is a record of the log of its own kind.
CREATE TABLE assessment (
    id         INTEGER PRIMARY KEY,
    person_id  INTEGER NOT NULL REFERENCES person,
    kind       TEXT NOT NULL CHECK (kind IN ('score', 'judgement')),
    key        BLOB, -- wrapped; NULL once erased
    nonce      BLOB NOT NULL,
    sealed     BLOB NOT NULL,
    by_staff   INTEGER NOT NULL REFERENCES staff,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX assessment_person ON assessment (person_id, id);

---------------------------------------------------------------- what needs two persons

-- Somebody asks, somebody else decides; what was asked is carried out in the transaction of the approval.
CREATE TABLE approval (
    id             INTEGER PRIMARY KEY,
    kind           TEXT NOT NULL,              -- "order.replaces", …
    unit_id        INTEGER REFERENCES unit,    -- NULL: the whole agency's
    person_id      INTEGER REFERENCES person,  -- NULL: nobody's
    body           TEXT NOT NULL,              -- what is asked, as canonical JSON
    reason         TEXT NOT NULL,
    proposer_id    INTEGER NOT NULL REFERENCES staff,
    state          TEXT NOT NULL CHECK (state IN ('open', 'approved', 'refused', 'withdrawn')),
    decided_by     INTEGER REFERENCES staff,
    decided_at     INTEGER,
    decided_reason TEXT,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,           -- an open one cannot be approved from then on
    CHECK ((state = 'open') = (decided_by IS NULL)),
    CHECK (state <> 'approved' OR decided_by <> proposer_id)
) STRICT;
CREATE INDEX approval_open ON approval (unit_id, id) WHERE state = 'open';
CREATE INDEX approval_proposer ON approval (proposer_id, id);

---------------------------------------------------------------- check-ins

-- Policies as they were in force, shared by the rows that were made under them; never changed.
CREATE TABLE policy (
    id   INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('checkin', 'ladder')),
    body TEXT NOT NULL, -- canonical JSON
    UNIQUE (kind, body)
) STRICT;

CREATE TABLE checkin (
    id                INTEGER PRIMARY KEY,
    person_id         INTEGER NOT NULL REFERENCES person,
    unit_id           INTEGER NOT NULL REFERENCES unit,
    inspector_id      INTEGER NOT NULL REFERENCES staff,
    plan_id           INTEGER REFERENCES plan,
    plan_version      INTEGER,
    local_date        TEXT NOT NULL,
    slot              INTEGER NOT NULL, -- number of the draw within the date, over all its windows
    drawn             INTEGER NOT NULL CHECK (drawn IN (0, 1)), -- due_at is nobody's to know before it comes
    zone              TEXT NOT NULL,
    zone_version      TEXT NOT NULL,    -- of the zone tables
    kind              TEXT NOT NULL CHECK (kind = 'live' OR kind = 'unattended' OR kind = 'on_demand'
                          OR kind = 'inbound'),
    mandatory         INTEGER NOT NULL CHECK (mandatory IN (0, 1)),
    policy_id         INTEGER NOT NULL REFERENCES policy,
    make_up_of        INTEGER REFERENCES checkin,
    merged_into       INTEGER REFERENCES checkin,
    caught_up         INTEGER NOT NULL DEFAULT 0 CHECK (caught_up IN (0, 1)),
    put_off_to        INTEGER,          -- when it takes its inspector's time, where that is not when it is due
    reason            TEXT,             -- of an on-demand check-in
    window_start_at   INTEGER NOT NULL,
    window_end_at     INTEGER NOT NULL,
    due_at            INTEGER NOT NULL,
    due_local         INTEGER,          -- the wall time that it was placed at: seconds since 1970-01-01 of the zone
    state             TEXT NOT NULL CHECK (state = 'planned' OR state = 'armed' OR state = 'ringing'
                          OR state = 'connected' OR state = 'awaiting_review' OR state = 'done'),
    machine           TEXT NOT NULL,    -- what else the state machine keeps, as JSON
    attempt           INTEGER NOT NULL DEFAULT 0,
    attempts          INTEGER NOT NULL, -- rings that the policy wants
    waiting_since_at  INTEGER,
    connected_at      INTEGER,
    taken_by          INTEGER REFERENCES staff,
    reserved_id       INTEGER REFERENCES staff, -- whose time a live check-in has
    outcome           TEXT CHECK (outcome = 'completed' OR outcome = 'late' OR outcome = 'declined'
                          OR outcome = 'no_answer' OR outcome = 'person_fault'
                          OR outcome = 'could_not_connect' OR outcome = 'identity_doubt'
                          OR outcome = 'system_fault' OR outcome = 'unstaffed' OR outcome = 'waived'),
    decided_at        INTEGER,
    declined_reason   TEXT,
    answerable_ms     INTEGER NOT NULL DEFAULT 0,
    review_deadline_at INTEGER,
    receipt           TEXT UNIQUE,
    created_at        INTEGER NOT NULL,
    next_at           INTEGER,
    next_what         TEXT,             -- "ring", "decide", "unattended", "review_due", …
    lease_until       INTEGER,
    fence             INTEGER NOT NULL DEFAULT 0,
    claims            INTEGER NOT NULL DEFAULT 0,
    quarantined       INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1)),
    CHECK ((state = 'done') = (outcome IS NOT NULL)),
    -- An overdue review is its incident's to ask for.
    CHECK (state = 'done' OR state = 'awaiting_review' OR next_at IS NOT NULL),
    UNIQUE (plan_id, local_date, slot)
) STRICT;
CREATE INDEX checkin_due ON checkin (next_at) WHERE next_at IS NOT NULL AND quarantined = 0;
CREATE INDEX checkin_person ON checkin (person_id, due_at);
CREATE INDEX checkin_undone ON checkin (person_id, due_at) WHERE state <> 'done';
CREATE INDEX checkin_unit ON checkin (unit_id, due_at);
-- What could not be rung in time takes somebody's time when it rings, not when it was due.
CREATE INDEX checkin_reserved ON checkin (reserved_id, coalesce(put_off_to, due_at))
    WHERE reserved_id IS NOT NULL AND state <> 'done';
CREATE INDEX checkin_open ON checkin (state) WHERE state = 'ringing' OR state = 'connected' OR state = 'awaiting_review';

-- Check-ins ahead that are placed anew from their wall times, person after person: after a change of a zone's rules
-- (unit_id null), or of a unit's zone.
CREATE TABLE zone_change (
    id          INTEGER PRIMARY KEY,
    unit_id     INTEGER REFERENCES unit,
    zone        TEXT NOT NULL,
    version     TEXT NOT NULL,
    from_date   TEXT,                 -- of a unit: the first date in the new zone
    person      INTEGER NOT NULL,     -- those before this one are done …
    checkin     INTEGER NOT NULL DEFAULT 0, -- … and of this one's check-ins those up to and with this
    moved       INTEGER NOT NULL DEFAULT 0,
    failed      INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    ended_at    INTEGER,
    next_at     INTEGER,
    lease_until INTEGER,
    fence       INTEGER NOT NULL DEFAULT 0,
    claims      INTEGER NOT NULL DEFAULT 0,
    quarantined INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1)),
    CHECK ((ended_at IS NULL) = (next_at IS NOT NULL))
) STRICT;
CREATE INDEX zone_change_due ON zone_change (next_at) WHERE next_at IS NOT NULL AND quarantined = 0;

CREATE TABLE attempt (
    checkin_id INTEGER NOT NULL REFERENCES checkin,
    number     INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (checkin_id, number)
) STRICT, WITHOUT ROWID;

-- With which phone the person came, where they have one of their own here.
CREATE TABLE checkin_device (
    checkin_id INTEGER PRIMARY KEY REFERENCES checkin,
    device_id  INTEGER REFERENCES device, -- NULL: another one
    at         INTEGER NOT NULL
) STRICT;
CREATE INDEX checkin_device_device ON checkin_device (device_id) WHERE device_id IS NOT NULL;

CREATE TABLE fact (
    id         INTEGER PRIMARY KEY,
    checkin_id INTEGER NOT NULL REFERENCES checkin,
    attempt    INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    source     TEXT NOT NULL CHECK (source = 'page' OR source = 'server' OR source = 'worker'),
    fact       TEXT NOT NULL,
    detail     TEXT
) STRICT;
CREATE INDEX fact_checkin ON fact (checkin_id, id);

CREATE TABLE link (
    token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
    person_id  INTEGER NOT NULL REFERENCES person,
    checkin_id INTEGER REFERENCES checkin, -- NULL: the person's own phone (enrolment)
    notice_id  INTEGER REFERENCES notice,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    used_by    BLOB CHECK (length(used_by) = 32) -- digest of the page's own key, which may use it again
) STRICT, WITHOUT ROWID;
CREATE INDEX link_expiry ON link (expires_at);
CREATE INDEX link_checkin ON link (checkin_id) WHERE checkin_id IS NOT NULL;

-- Our own health: intervals without overlap, the newest grows. `ok` is everything together.
CREATE TABLE health (
    id       INTEGER PRIMARY KEY,
    from_at  INTEGER NOT NULL,
    until_at INTEGER NOT NULL CHECK (until_at >= from_at),
    bits     INTEGER NOT NULL -- CK_HEALTH_*: what was well all the time
) STRICT;
CREATE INDEX health_until ON health (until_at);

CREATE TABLE challenge (
    checkin_id INTEGER NOT NULL REFERENCES checkin,
    number     INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    digits     TEXT,
    seconds    INTEGER NOT NULL,
    shown_at   INTEGER,
    at_ms      INTEGER, -- place in the recording
    PRIMARY KEY (checkin_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE recording (
    id          INTEGER PRIMARY KEY,
    checkin_id  INTEGER NOT NULL REFERENCES checkin,
    leg         TEXT NOT NULL CHECK (leg IN ('person', 'staff')),
    state       TEXT NOT NULL CHECK (state IN ('recording', 'closed', 'recovered', 'failed', 'erased')),
    file        TEXT NOT NULL,
    key         BLOB, -- wrapped; NULL once erased
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER,
    duration_ms INTEGER NOT NULL DEFAULT 0,
    bytes       INTEGER NOT NULL DEFAULT 0,
    chunks      INTEGER NOT NULL DEFAULT 0,
    head        BLOB, -- end of the hash chain as last reported
    head_at     INTEGER,
    gaps        TEXT NOT NULL DEFAULT '[]',
    measures    TEXT -- JSON: what checkin-render saw; NULL: not measured
) STRICT;
CREATE INDEX recording_checkin ON recording (checkin_id);
CREATE INDEX recording_open ON recording (state) WHERE state = 'recording';

-- What a victim or somebody else reported, and what officers wrote about it: each text sealed under a key of its
-- own. Rows that hold such a text refer to it and have none themselves.
CREATE TABLE confidence (
    id         INTEGER PRIMARY KEY,
    person_id  INTEGER NOT NULL REFERENCES person, -- about whose case it is
    key        BLOB, -- wrapped; NULL once erased
    nonce      BLOB NOT NULL,
    sealed     BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX confidence_person ON confidence (person_id);

CREATE TABLE concern (
    id            INTEGER PRIMARY KEY,
    checkin_id    INTEGER NOT NULL REFERENCES checkin,
    by_staff      INTEGER NOT NULL REFERENCES staff,
    at            INTEGER NOT NULL,
    confidence_id INTEGER NOT NULL REFERENCES confidence
) STRICT;
CREATE INDEX concern_checkin ON concern (checkin_id);

CREATE TABLE outcome_form (
    checkin_id         INTEGER PRIMARY KEY REFERENCES checkin,
    result             TEXT NOT NULL,
    identity_confirmed INTEGER NOT NULL CHECK (identity_confirmed IN (0, 1)),
    behaviours         TEXT NOT NULL, -- JSON list
    note               TEXT NOT NULL,
    by_staff           INTEGER NOT NULL REFERENCES staff,
    at                 INTEGER NOT NULL
) STRICT;

CREATE TABLE review (
    checkin_id INTEGER PRIMARY KEY REFERENCES checkin,
    decision   TEXT NOT NULL CHECK (decision IN ('accept', 'doubt', 'unusable')),
    note       TEXT NOT NULL,
    by_staff   INTEGER NOT NULL REFERENCES staff,
    at         INTEGER NOT NULL
) STRICT;

-- What persons ask for in writing.
CREATE TABLE request (
    id          INTEGER PRIMARY KEY,
    person_id   INTEGER NOT NULL REFERENCES person,
    checkin_id  INTEGER REFERENCES checkin,
    kind        TEXT NOT NULL CHECK (kind IN ('reschedule', 'dispute')),
    text        TEXT NOT NULL,
    at          INTEGER NOT NULL,
    accepted    INTEGER CHECK (accepted IN (0, 1)),
    answer      TEXT,
    answered_by INTEGER REFERENCES staff,
    answered_at INTEGER,
    CHECK ((kind = 'dispute') = (checkin_id IS NOT NULL)),
    CHECK ((answered_at IS NULL) = (answer IS NULL AND accepted IS NULL))
) STRICT;
CREATE INDEX request_person ON request (person_id, id);
CREATE UNIQUE INDEX request_checkin ON request (checkin_id) WHERE checkin_id IS NOT NULL;

-- Conclusions of named officers; a later one stands beside the earlier, the newest counts.
CREATE TABLE conclusion (
    id          INTEGER PRIMARY KEY,
    checkin_id  INTEGER REFERENCES checkin,
    incident_id INTEGER REFERENCES incident,
    conclusion  TEXT NOT NULL CHECK (conclusion IN ('no_action', 'excused', 'breach', 'safe', 'help_sent',
                    'not_found')),
    reason      TEXT NOT NULL, -- '' where it is confided
    confidence_id INTEGER REFERENCES confidence,
    by_staff    INTEGER NOT NULL REFERENCES staff,
    at          INTEGER NOT NULL,
    CHECK (checkin_id IS NOT NULL OR incident_id IS NOT NULL)
) STRICT;
CREATE INDEX conclusion_checkin ON conclusion (checkin_id) WHERE checkin_id IS NOT NULL;
CREATE INDEX conclusion_incident ON conclusion (incident_id) WHERE incident_id IS NOT NULL;

---------------------------------------------------------------- incidents and notices

-- The ladder in force for a unit and band: the row with the highest id that fits best. An incident keeps the
-- policy it was opened with.
CREATE TABLE ladder (
    id          INTEGER PRIMARY KEY,
    unit_id     INTEGER REFERENCES unit, -- NULL: for every unit without one of its own
    band        TEXT,                    -- NULL: for every band; 'safety': of safety checks
    policy_id   INTEGER NOT NULL REFERENCES policy,
    by_staff    INTEGER REFERENCES staff, -- who proposed it …
    approved_by INTEGER REFERENCES staff, -- … and who else said yes
    created_at  INTEGER NOT NULL,
    CHECK (by_staff <> approved_by)
) STRICT;
CREATE INDEX ladder_unit ON ladder (unit_id, band, id);

CREATE TABLE incident (
    id           INTEGER PRIMARY KEY,
    person_id    INTEGER REFERENCES person, -- NULL: a matter of the system
    unit_id      INTEGER REFERENCES unit,
    inspector_id INTEGER REFERENCES staff,
    checkin_id   INTEGER REFERENCES checkin,
    kind         TEXT NOT NULL,      -- enum ck_incident_kind
    severity     TEXT NOT NULL,      -- enum ck_severity
    outcome      TEXT,               -- the check-in's finding, then its outcome
    cause        TEXT,               -- short text of a system matter
    opened_at    INTEGER NOT NULL,
    state        TEXT NOT NULL CHECK (state = 'open' OR state = 'acknowledged' OR state = 'closed'),
    holder_id    INTEGER REFERENCES staff,
    target_id    INTEGER REFERENCES staff, -- first whom the last fire of the ladder reached
    acknowledged_at INTEGER,
    closed_at    INTEGER,
    policy_id    INTEGER NOT NULL REFERENCES policy, -- the ladder, frozen
    machine      TEXT NOT NULL,      -- what else the state machine keeps, as JSON
    step         INTEGER NOT NULL DEFAULT 0,
    steps        INTEGER NOT NULL,
    answered_late INTEGER NOT NULL DEFAULT 0 CHECK (answered_late IN (0, 1)),
    next_at      INTEGER,
    next_what    TEXT,
    lease_until  INTEGER,
    fence        INTEGER NOT NULL DEFAULT 0,
    claims       INTEGER NOT NULL DEFAULT 0,
    quarantined  INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1)),
    CHECK (state = 'closed' OR next_at IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX incident_checkin ON incident (checkin_id, kind) WHERE checkin_id IS NOT NULL;
CREATE INDEX incident_due ON incident (next_at) WHERE next_at IS NOT NULL AND quarantined = 0;
CREATE INDEX incident_unit ON incident (unit_id, id);
CREATE INDEX incident_opened ON incident (opened_at);
CREATE INDEX incident_person ON incident (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX incident_open ON incident (id) WHERE state <> 'closed';
CREATE INDEX incident_cause ON incident (cause, id) WHERE state <> 'closed' AND cause IS NOT NULL;

CREATE TABLE incident_line (
    id          INTEGER PRIMARY KEY,
    incident_id INTEGER NOT NULL REFERENCES incident,
    at          INTEGER NOT NULL,
    what        TEXT NOT NULL,
    staff_id    INTEGER REFERENCES staff, -- who did it, or whom it reached
    notice_id   INTEGER REFERENCES notice,
    text        TEXT, -- NULL where it is confided
    confidence_id INTEGER REFERENCES confidence
) STRICT;
CREATE INDEX incident_line_incident ON incident_line (incident_id, id);

-- The outbox.
CREATE TABLE notice (
    id           INTEGER PRIMARY KEY,
    reference    TEXT NOT NULL UNIQUE, -- shown to the human: "N-7K3F-92QD"
    checkin_id   INTEGER REFERENCES checkin,
    incident_id  INTEGER REFERENCES incident,
    step         INTEGER NOT NULL,     -- of the ladder; 0 for a check-in
    fire         INTEGER NOT NULL,     -- number of the fire of the ladder; the attempt of a check-in
    staff_id     INTEGER REFERENCES staff,
    person_id    INTEGER REFERENCES person,
    channel      TEXT NOT NULL CHECK (channel = 'console' OR channel = 'email' OR channel = 'webhook'
                          OR channel = 'sms' OR channel = 'voice' OR channel = 'web_push'),
    template     TEXT NOT NULL,
    language     TEXT NOT NULL,
    address      TEXT NOT NULL,        -- mail address, number, or name of the webhook
    state        TEXT NOT NULL CHECK (state = 'queued' OR state = 'sending' OR state = 'accepted'
                          OR state = 'delivered' OR state = 'read' OR state = 'failed_temp'
                          OR state = 'failed_perm' OR state = 'expired' OR state = 'unknown'
                          OR state = 'cancelled'),
    machine      TEXT NOT NULL,        -- what else the state machine keeps, as JSON
    receipts     INTEGER NOT NULL DEFAULT 0 CHECK (receipts IN (0, 1)), -- the channel tells about delivery
    tries        INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL,
    deadline_at  INTEGER NOT NULL,
    accepted_at  INTEGER,
    delivered_at INTEGER,
    read_at      INTEGER,
    failure      TEXT,
    provider_id  TEXT,
    next_at      INTEGER,
    lease_until  INTEGER,
    fence        INTEGER NOT NULL DEFAULT 0,
    claims       INTEGER NOT NULL DEFAULT 0,
    quarantined  INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1)),
    CHECK ((staff_id IS NOT NULL) + (person_id IS NOT NULL) <= 1),
    CHECK (checkin_id IS NOT NULL OR incident_id IS NOT NULL OR template = 'contact_test'
                          OR template = 'hold_review' OR template = 'case_opened'),
    CHECK (NOT (state = 'queued' OR state = 'sending' OR state = 'failed_temp'
                          OR state = 'unknown') OR next_at IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX notice_of_incident
    ON notice (incident_id, step, fire, template, coalesce(staff_id, 0), channel, address) WHERE incident_id IS NOT NULL;
CREATE UNIQUE INDEX notice_of_checkin
    ON notice (checkin_id, step, fire, template, coalesce(staff_id, 0), channel, address) WHERE incident_id IS NULL;
CREATE INDEX notice_person ON notice (person_id) WHERE person_id IS NOT NULL AND checkin_id IS NULL;
CREATE INDEX notice_checkin ON notice (checkin_id) WHERE checkin_id IS NOT NULL;
CREATE INDEX notice_due ON notice (next_at) WHERE next_at IS NOT NULL AND quarantined = 0;
CREATE INDEX notice_provider ON notice (provider_id) WHERE provider_id IS NOT NULL;

CREATE INDEX notice_digest ON notice (staff_id, channel) WHERE template = 'digest';
CREATE INDEX notice_created ON notice (created_at);

-- What one notice tells of several incidents in a storm.
CREATE TABLE digest_item (
    notice_id   INTEGER NOT NULL REFERENCES notice,
    incident_id INTEGER NOT NULL REFERENCES incident,
    fire        INTEGER NOT NULL,
    PRIMARY KEY (notice_id, incident_id, fire)
) STRICT, WITHOUT ROWID;
CREATE INDEX digest_item_incident ON digest_item (incident_id, fire);

-- Every way to every member of staff and person; falls due for its weekly test.
CREATE TABLE contact_path (
    id          INTEGER PRIMARY KEY,
    staff_id    INTEGER REFERENCES staff,
    person_id   INTEGER REFERENCES person,
    channel     TEXT NOT NULL CHECK (channel IN ('email', 'sms', 'voice', 'web_push')),
    state       TEXT NOT NULL CHECK (state IN ('untested', 'testing', 'ok', 'failed')),
    by_hand     INTEGER NOT NULL DEFAULT 0 CHECK (by_hand IN (0, 1)),
    notice_id   INTEGER REFERENCES notice, -- the newest test
    tested_at   INTEGER,
    last_ok_at  INTEGER,
    failure     TEXT,
    next_at     INTEGER,
    lease_until INTEGER,
    fence       INTEGER NOT NULL DEFAULT 0,
    claims      INTEGER NOT NULL DEFAULT 0,
    quarantined INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1)),
    CHECK ((staff_id IS NULL) <> (person_id IS NULL)),
    CHECK (next_at IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX contact_path_staff ON contact_path (staff_id, channel) WHERE staff_id IS NOT NULL;
CREATE UNIQUE INDEX contact_path_person ON contact_path (person_id, channel) WHERE person_id IS NOT NULL;
CREATE INDEX contact_path_notice ON contact_path (notice_id) WHERE notice_id IS NOT NULL;
CREATE INDEX contact_path_due ON contact_path (next_at) WHERE next_at IS NOT NULL AND quarantined = 0;

-- Browsers that have subscribed to Web Push.
CREATE TABLE push (
    id           INTEGER PRIMARY KEY,
    staff_id     INTEGER REFERENCES staff,
    person_id    INTEGER REFERENCES person,
    subscription TEXT NOT NULL, -- endpoint and keys, as the browser gave them
    created_at   INTEGER NOT NULL,
    CHECK ((staff_id IS NULL) <> (person_id IS NULL))
) STRICT;
CREATE INDEX push_staff ON push (staff_id) WHERE staff_id IS NOT NULL;
CREATE INDEX push_person ON push (person_id) WHERE person_id IS NOT NULL;

---------------------------------------------------------------- cases opened outside the own caseload

-- For a while, to read, with a reason: whoever must act now and is not the inspector.
CREATE TABLE opened_case (
    id        INTEGER PRIMARY KEY,
    staff_id  INTEGER NOT NULL REFERENCES staff,
    person_id INTEGER NOT NULL REFERENCES person,
    opened_at INTEGER NOT NULL,
    until_at  INTEGER NOT NULL -- earlier where it was closed by hand
) STRICT;
CREATE INDEX opened_case_staff ON opened_case (staff_id, until_at);

---------------------------------------------------------------- messages

-- One with each person (the inspector and the stand-ins), one about each incident (among officers).
CREATE TABLE thread (
    id          INTEGER PRIMARY KEY,
    person_id   INTEGER UNIQUE REFERENCES person,
    incident_id INTEGER UNIQUE REFERENCES incident,
    key         BLOB, -- wrapped; NULL once erased
    created_at  INTEGER NOT NULL, -- of the key
    CHECK ((person_id IS NULL) <> (incident_id IS NULL))
) STRICT;

CREATE TABLE message (
    id           INTEGER PRIMARY KEY,
    thread_id    INTEGER NOT NULL REFERENCES thread,
    from_staff   INTEGER REFERENCES staff, -- NULL: from the person
    client_id    TEXT NOT NULL,
    nonce        BLOB NOT NULL,
    sealed       BLOB NOT NULL, -- the text, and the name, type and key of the file that belongs to it
    sent_at      INTEGER NOT NULL,
    delivered_at INTEGER, -- to the other side of a person's thread
    read_at      INTEGER
) STRICT;
CREATE INDEX message_thread ON message (thread_id, id);
CREATE UNIQUE INDEX message_client ON message (thread_id, coalesce(from_staff, 0), client_id);
CREATE INDEX message_unread ON message (thread_id) WHERE from_staff IS NULL AND read_at IS NULL;

-- A photo or document, sealed under a key that lies in its message.
CREATE TABLE message_file (
    message_id INTEGER PRIMARY KEY REFERENCES message,
    nonce      BLOB NOT NULL,
    sealed     BLOB NOT NULL
) STRICT;

-- How far each officer has read the thread about an incident.
CREATE TABLE thread_read (
    thread_id INTEGER NOT NULL REFERENCES thread,
    staff_id  INTEGER NOT NULL REFERENCES staff,
    up_to     INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (thread_id, staff_id)
) STRICT, WITHOUT ROWID;

-- What a unit's inspectors write again and again, in the three languages.
CREATE TABLE template (
    id         INTEGER PRIMARY KEY,
    unit_id    INTEGER NOT NULL REFERENCES unit,
    kk         TEXT NOT NULL,
    ru         TEXT NOT NULL,
    en         TEXT NOT NULL,
    by_staff   INTEGER NOT NULL REFERENCES staff,
    changed_at INTEGER NOT NULL,
    removed_at INTEGER
) STRICT;
CREATE INDEX template_unit ON template (unit_id, id) WHERE removed_at IS NULL;

---------------------------------------------------------------- retention

-- What is kept for its time and then destroyed: one row for each recording that is over, one a class for a person
-- whom no order binds, one for the log of who came in. Falls due when its time is over.
CREATE TABLE expiry (
    id           INTEGER PRIMARY KEY,
    class        TEXT NOT NULL CHECK (class IN ('recording', 'risk', 'photo', 'contact', 'messages', 'concern',
                     'case_file', 'access_log')),
    person_id    INTEGER REFERENCES person,    -- NULL: of the access log
    recording_id INTEGER REFERENCES recording, -- of the class recording
    since_at     INTEGER NOT NULL,             -- its time counts from here
    state        TEXT NOT NULL CHECK (state = 'kept' OR state = 'held' OR state = 'erasing' OR state = 'erased'),
    erased_at    INTEGER,
    next_at      INTEGER,
    lease_until  INTEGER,
    fence        INTEGER NOT NULL DEFAULT 0,
    claims       INTEGER NOT NULL DEFAULT 0,
    quarantined  INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1)),
    CHECK ((class = 'recording') = (recording_id IS NOT NULL)),
    CHECK ((class = 'access_log') = (person_id IS NULL)),
    CHECK ((state = 'kept' OR state = 'erasing') = (next_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX expiry_recording ON expiry (recording_id) WHERE recording_id IS NOT NULL;
CREATE UNIQUE INDEX expiry_person ON expiry (person_id, class) WHERE recording_id IS NULL;
CREATE INDEX expiry_due ON expiry (next_at) WHERE next_at IS NOT NULL AND quarantined = 0;
CREATE INDEX expiry_of ON expiry (person_id);

-- Nothing that a hold is about is destroyed before it is released, by two persons. Falls due when it is to be
-- reviewed.
CREATE TABLE hold (
    id              INTEGER PRIMARY KEY,
    person_id       INTEGER NOT NULL REFERENCES person,
    incident_id     INTEGER REFERENCES incident,  -- this incident alone …
    recording_id    INTEGER REFERENCES recording, -- … or this recording; both NULL: everything of the person
    reason          TEXT NOT NULL,
    by_staff        INTEGER NOT NULL REFERENCES staff,
    created_at      INTEGER NOT NULL,
    review_at       INTEGER NOT NULL,
    reminded        INTEGER NOT NULL DEFAULT 0, -- how often supervisors were told that its review is overdue
    released_at     INTEGER,
    released_by     INTEGER REFERENCES staff, -- who asked for it …
    approved_by     INTEGER REFERENCES staff, -- … and who else said yes
    released_reason TEXT,
    next_at         INTEGER,
    lease_until     INTEGER,
    fence           INTEGER NOT NULL DEFAULT 0,
    claims          INTEGER NOT NULL DEFAULT 0,
    quarantined     INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1)),
    CHECK (incident_id IS NULL OR recording_id IS NULL),
    CHECK ((released_at IS NULL) = (next_at IS NOT NULL)),
    CHECK (released_at IS NULL OR released_by <> approved_by)
) STRICT;
CREATE INDEX hold_person ON hold (person_id) WHERE released_at IS NULL;
CREATE INDEX hold_due ON hold (next_at) WHERE next_at IS NOT NULL AND quarantined = 0;

-- A number that a key is bound to is never used again: rows that have one are emptied, never taken away.
CREATE TRIGGER recording_stays BEFORE DELETE ON recording BEGIN SELECT RAISE(ABORT, 'its number is bound to a key'); END;
CREATE TRIGGER photo_stays BEFORE DELETE ON photo BEGIN SELECT RAISE(ABORT, 'its number is bound to a key'); END;
CREATE TRIGGER thread_stays BEFORE DELETE ON thread BEGIN SELECT RAISE(ABORT, 'its number is bound to a key'); END;
CREATE TRIGGER assessment_stays BEFORE DELETE ON assessment BEGIN SELECT RAISE(ABORT, 'its number is bound to a key'); END;

---------------------------------------------------------------- the audit log

-- Append-only: leaf and hash never change. `prev` is the entry before it about the same object.
CREATE TABLE log_entry (
    idx    INTEGER PRIMARY KEY CHECK (idx >= 0),
    at     INTEGER NOT NULL,
    prev   INTEGER CHECK (prev < idx),
    leaf   BLOB NOT NULL CHECK (length(leaf) <= 4096),
    hash   BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- The newest entry about each object, by its pseudonym: where the chain of `prev` begins. An index of all
-- entries by object would be rewritten all over by each of them.
CREATE TABLE log_object (
    object BLOB PRIMARY KEY CHECK (length(object) = 16),
    newest INTEGER NOT NULL -- log_entry; here and below no foreign key, whose check would cost a twentieth of
                            -- an append: verifying the log looks at both
) STRICT, WITHOUT ROWID;

-- What the leaf commits to and whom it names, in plain; erasable without touching the leaf.
CREATE TABLE log_plain (
    idx        INTEGER PRIMARY KEY,
    action     TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    staff_id   INTEGER,
    person_id  INTEGER,
    object     TEXT NOT NULL,    -- kind
    object_id  INTEGER,
    salted     TEXT              -- JSON: member -> [salt in hexadecimal, value], or [salt] where the value is
                                 -- withheld; NULL: nothing sealed, or erased
) STRICT;
CREATE INDEX log_plain_access ON log_plain (idx)
    WHERE object = 'session' AND person_id IS NULL AND salted IS NOT NULL;
CREATE INDEX log_plain_verified ON log_plain (idx) WHERE action = 'LOG_VERIFIED';
CREATE INDEX log_plain_signer_key ON log_plain (idx) WHERE action = 'SIGNER_KEY';
CREATE INDEX log_plain_person ON log_plain (person_id, idx) WHERE person_id IS NOT NULL;
CREATE INDEX log_plain_staff ON log_plain (staff_id, idx) WHERE staff_id IS NOT NULL;

-- Hashes of complete subtrees: tile (level, number) holds 256 consecutive hashes of height 8 * level; the
-- last tile of a level is shorter. Level 0 is log_entry itself.
CREATE TABLE log_tile (
    level  INTEGER NOT NULL CHECK (level >= 1),
    number INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, number)
) STRICT, WITHOUT ROWID;

-- One row: the head of the log.
CREATE TABLE log_head (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    size     INTEGER NOT NULL,
    root     BLOB NOT NULL CHECK (length(root) = 32),
    frontier BLOB NOT NULL, -- roots of the complete subtrees, largest first
    salt     BLOB NOT NULL CHECK (length(salt) = 32) -- for pseudonyms of what belongs to no person
) STRICT;

-- What checkin-signer signed, with what witnesses added (protocol/log.md).
CREATE TABLE log_checkpoint (
    size INTEGER PRIMARY KEY CHECK (size > 0), -- entries it covers
    at   INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;

CREATE TABLE quarantine (
    id     INTEGER PRIMARY KEY,
    kind   TEXT NOT NULL,
    row_id INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    reason TEXT NOT NULL,
    freed_at INTEGER
) STRICT;
