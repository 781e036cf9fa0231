//! The whole API on a real listener, and clients of it, typed by who they are.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::thread;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use chrono::DateTime;
use perennial::app::http::{Listening, Shared, api, listen};
use perennial::kernel::id::{LaneCount, MemberId, ProgramId};
use perennial::kernel::scope::{Principal, ProgramScope};
use perennial::loyalty::events::event_view::event_names;
use perennial::loyalty::ledger::opening::OpenBalance;
use perennial::loyalty::ledger::post::{Ledger, WriterCount};
use perennial::loyalty::ledger::posting::{AccountTime, Reference, RequestHash};
use perennial::loyalty::ledger::writer::Pace;
use perennial::loyalty::members::model::Profile;
use perennial::loyalty::membership::enrol::Enrol;
use perennial::loyalty::membership::identities::Identities;
use perennial::loyalty::program::create::{ProgramCode, create};
use perennial::loyalty::program::document::Document;
use perennial::loyalty::program::timelines::Timelines;
use perennial::loyalty::statement::reader::AccountReader;
use perennial::platform::auth::login::{KnockRules, Logins};
use perennial::platform::auth::session::{Keyring, Sessions};
use perennial::platform::auth::{Authenticator, KeyName, NewKey, Scopes, issue};
use perennial::platform::db::{DatabaseUrl, Db, PoolSize, Role};
use perennial::platform::entropy::uuid_v7;
use perennial::platform::web::rate::RateSettings;
use perennial::platform::web::telemetry::Metrics;
use perennial::platform::webhooks::address::Reach;
use perennial::platform::webhooks::http::HookRules;

use tokio::runtime;

use super::client::{Client, fresh};
use super::database::LANES;
use super::{TestDb, verify};

/// The programme of most tests: points of a cent for every euro net of all, that end after a year, and yearly spend.
pub const EURO: &str = r#"
program = { name = "Euro", currency = "EUR", timezone = "Europe/Amsterdam" }
[wallets]
points = { kind = "redeemable", value = "0.01", expiry = { after = "P12M", round = "end_of_month", restore_grace = "P30D" }, transfer = { max = 1000, each = "P1M" } }
status = { kind = "qualifying", counts = "spend" }
[earning]
base = { award = { per = "1.00", points = 1 } }
"#;

/// A database of the test's own.
pub struct TestApp {
    /// The database.
    pub test: TestDb,
    /// The programme that tests look at.
    pub program: ProgramScope,
    /// Another one in the same database.
    pub other: ProgramScope,
    process: Process,
}

/// One process that serves it.
pub struct Process {
    /// Its posting engine.
    pub ledger: Ledger,
    address: String,
    handle: ServerHandle,
}

impl Process {
    /// Starts one; several may serve one database.
    pub async fn start(test: &TestDb, pace: Pace) -> Self {
        Self::start_at(&test.url, pace).await
    }

    /// Starts one that reaches its database in a way of its own.
    pub async fn start_at(url: &DatabaseUrl, pace: Pace) -> Self {
        Self::start_with(url, pace, KnockRules { rate: RateSettings::default(), proxies: 0 }).await
    }

    /// Starts one that lets addresses try to come in so often.
    pub async fn start_with(url: &DatabaseUrl, pace: Pace, knocks: KnockRules) -> Self {
        let db = Db::open(url, PoolSize(8), Role::App).await.unwrap();
        let ledger = Ledger::start_at(&db, LANES, Timelines::default(), WriterCount(2), pace);
        let shared = Shared {
            db: Data::new(db.clone()),
            accounts: Data::new(AccountReader::start(&db, ledger.lanes())),
            authenticator: Data::new(Authenticator::new(db.clone(), RateSettings::default())),
            sessions: Data::new(sessions(&db, ledger.lanes())),
            logins: Data::new(Logins::new(db.clone(), ledger.lanes(), knocks)),
            ledger: Data::new(ledger.clone()),
            identities: Data::new(Identities::default()),
            metrics: Data::new(metrics()),
            hooks: Data::new(HookRules { events: event_names(), reach: Reach::Loopback }),
            api: Data::new(api()),
        };
        let listening = Listening { address: ([127, 0, 0, 1], 0).into(), shutdown_s: 5, threads: Some(2) };
        let (server, addresses) = listen(listening, shared).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        Self { ledger, address: format!("http://{}", addresses.first().unwrap()), handle }
    }

    /// A client of this process without a key.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.address, None)
    }

    /// A client with a key.
    pub fn client(&self, key: &str) -> Client {
        Client::new(&self.address, Some(key))
    }
}

/// Signed with keys that all processes of all tests share.
fn sessions(db: &Db, lanes: LaneCount) -> Sessions {
    static KEYRING: OnceLock<Keyring> = OnceLock::new();
    let keyring = KEYRING.get_or_init(|| Keyring::open(&token_keys(), DateTime::UNIX_EPOCH).unwrap());
    Sessions::new(db.clone(), lanes, Some(keyring.clone()), RateSettings::default())
}

/// Where the keys of tokens are while the tests run.
pub fn token_keys() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("token-keys")
}

impl Drop for Process {
    fn drop(&mut self) {
        // The command is on its way; nobody waits for the server's end.
        drop(self.handle.stop(false));
    }
}

impl TestApp {
    /// Starts one with two programmes.
    pub async fn new() -> Self {
        Self::with(EURO, Pace::serving()).await
    }

    /// Starts one with a programme of the test's own, and the usual one beside it.
    pub async fn with(document: &str, pace: Pace) -> Self {
        let test = TestDb::new().await;
        let program = publish(&test.db, "ours", &document.replace("\"Euro\"", "\"Ours\"")).await;
        let other = publish(&test.db, "theirs", EURO).await;
        let process = Process::start(&test, pace).await;
        Self { test, program, other, process }
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// A client without a key.
    pub fn anonymous(&self) -> Client {
        self.process.anonymous()
    }

    /// A storefront of the programme, with every scope.
    pub async fn shop(&self) -> Client {
        self.process.client(&self.key(&self.program, Scopes::all()).await)
    }

    /// A client of the programme with these scopes.
    pub async fn with_scopes(&self, scopes: &str) -> Client {
        self.process.client(&self.key(&self.program, scopes.parse().unwrap()).await)
    }

    /// A storefront of the other programme, with every scope.
    pub async fn stranger(&self) -> Client {
        self.process.client(&self.key(&self.other, Scopes::all()).await)
    }

    /// Opens a lot of points that end on a day, as an import does.
    pub async fn open_lot(&self, member: &str, points: i64, expires_on: &str) {
        self.open(member, points, expires_on, AccountTime::Live).await;
    }

    /// Enrols a member in the past, as an import does.
    pub async fn enrol_at(&self, at: &str) -> String {
        let name = fresh("past");
        let enrol = Enrol {
            program: self.program.program(),
            reference: Reference::keyed("enrol", &name),
            hash: RequestHash::of(&name),
            member: MemberId(uuid_v7()),
            profile: Profile::default(),
            enrolled_on: None,
            welcomes: true,
            time: AccountTime::Imported(at.parse().unwrap()),
        };
        self.process.ledger.post(&self.program, enrol).await.unwrap().receipt.member.to_string()
    }

    /// Opens one in the past.
    pub async fn open_lot_at(&self, member: &str, points: i64, expires_on: &str, at: &str) {
        self.open(member, points, expires_on, AccountTime::Imported(at.parse().unwrap())).await;
    }

    async fn open(&self, member: &str, points: i64, expires_on: &str, time: AccountTime) {
        let name = fresh("lot");
        let open = OpenBalance {
            reference: Reference::keyed("opening", &name),
            hash: RequestHash::of(&name),
            member: MemberId(member.parse().unwrap()),
            wallet: "points".into(),
            points: points.try_into().unwrap(),
            available_on: None,
            expires_on: Some(expires_on.parse().unwrap()),
            time,
        };
        self.process.ledger.post(&self.program, open).await.unwrap();
    }

    /// The database as its owner sees it, who may do what the application may not.
    pub async fn owner(&self) -> Db {
        Db::open(&self.test.url, PoolSize(1), Role::Owner).await.unwrap()
    }

    /// Issues a key, as the operator does, and answers it as it is presented.
    pub async fn key(&self, program: &ProgramScope, scopes: Scopes) -> String {
        key(&self.test.db, program, scopes).await
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // A test that fails has said why already.
        if thread::panicking() {
            return;
        }
        // On a runtime of its own: the test's is the one that is ending.
        let url = self.test.url.clone();
        let sound = thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { verify(&Db::open(&url, PoolSize(2), Role::App).await.unwrap()).await })
        });
        assert!(sound.join().is_ok(), "the ledger is not sound");
    }
}

/// Creates a programme from its document.
pub async fn publish(db: &Db, code: &str, document: &str) -> ProgramScope {
    let scope = ProgramScope::new(ProgramId(uuid_v7()), Principal::Operator);
    let code = ProgramCode::parse(code).unwrap();
    let document = Document::from_toml(document).unwrap();
    create(&mut db.conn().await.unwrap(), &scope, &code, &document).await.unwrap();
    scope
}

/// Issues a key, as the operator does, and answers it as it is presented.
pub async fn key(db: &Db, program: &ProgramScope, scopes: Scopes) -> String {
    let new = NewKey { name: KeyName::parse("test").unwrap(), scopes, expires_at: None };
    let mut conn = db.conn().await.unwrap();
    issue(&mut conn, program, &new).await.unwrap().token.reveal()
}

/// The metrics of this process: it has one recorder, whichever test comes first.
fn metrics() -> Metrics {
    static SHARED: OnceLock<Arc<Metrics>> = OnceLock::new();
    SHARED.get_or_init(|| Arc::new(Metrics::start().unwrap())).as_ref().clone()
}
