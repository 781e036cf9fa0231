//! A database for each test, cloned from a migrated template.

use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use diesel::sql_query;
use diesel::sql_types::Text;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use perennial::kernel::id::LaneCount;
use perennial::platform::db::embedded::{Cluster, ClusterPlace};
use perennial::platform::db::{DatabaseUrl, Db, PoolSize, Role, migrate};
use rustix::process::{Pid, test_kill_process};
use tokio::runtime;
use tokio::sync::OnceCell;

use super::Wire;
use super::home::scratch;

/// Lanes of a test's database: several, so that tests meet more than one.
pub const LANES: LaneCount = LaneCount(4);

/// The cluster of this process; it stops when the process ends, however that happens.
static SHARED: OnceCell<Cluster> = OnceCell::const_new();

/// A migrated, otherwise empty database of the test's own, dropped with this value.
pub struct TestDb {
    /// How to reach it, as its owner.
    pub url: DatabaseUrl,
    /// A small pool on it, under the application's role.
    pub db: Db,
    name: String,
}

impl TestDb {
    /// Clones one.
    pub async fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("it_{}_{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let cluster = shared().await;
        on_server(cluster, &format!("CREATE DATABASE {name} TEMPLATE {}", template())).await;
        let url = cluster.url().with_database(&name);
        let db = Db::open(&url, PoolSize(4), Role::App).await.unwrap();
        Self { url, db, name }
    }

    /// An empty database without a schema.
    pub async fn bare() -> BareDb {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("it_{}_bare{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let cluster = shared().await;
        on_server(cluster, &format!("CREATE DATABASE {name}")).await;
        BareDb { url: cluster.url().with_database(&name), name }
    }

    /// The connection string in words, for another process.
    pub fn text(&self) -> String {
        text(&self.name)
    }

    /// Lets nobody connect, and ends who is; or lets them again.
    pub async fn shut(&self, shut: bool) {
        let name = &self.name;
        on_server(shared().await, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {}", !shut)).await;
        if shut {
            let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
            on_server(shared().await, &end).await;
        }
    }

    /// How to reach it through a wire, as its owner.
    pub fn through(&self, wire: &Wire) -> DatabaseUrl {
        DatabaseUrl::socket(wire.directory(), "perennial", &self.name)
    }

    /// The directory of its server's socket.
    pub fn socket_directory() -> &'static Path {
        SHARED.get().unwrap().socket_directory()
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        self.db.close();
        drop_database(&self.name);
    }
}

/// A database without a schema, dropped with this value.
pub struct BareDb {
    /// How to reach it, as its owner.
    pub url: DatabaseUrl,
    name: String,
}

impl BareDb {
    /// The connection string in words, for another process.
    pub fn text(&self) -> String {
        text(&self.name)
    }
}

impl Drop for BareDb {
    fn drop(&mut self) {
        drop_database(&self.name);
    }
}

fn text(name: &str) -> String {
    let directory = SHARED.get().unwrap().socket_directory().to_str().unwrap();
    format!("host='{directory}' user=perennial dbname={name}")
}

fn template() -> String {
    format!("it_{}_template", process::id())
}

async fn shared() -> &'static Cluster {
    SHARED
        .get_or_init(|| async {
            let settings = [("fsync", "off"), ("full_page_writes", "off"), ("max_connections", "200")];
            let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
            let place = ClusterPlace { home: scratch().join("shared"), settings, ..ClusterPlace::default() };
            let cluster = Cluster::start(&place).await.unwrap();
            sweep(&cluster).await;
            let template = template();
            on_server(&cluster, &format!("CREATE DATABASE {template}")).await;
            migrate(&cluster.url().with_database(&template), LANES).await.unwrap();
            cluster
        })
        .await
}

#[derive(diesel::QueryableByName)]
struct NameRow {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Drops what earlier runs left: the cluster is kept between runs, as that starts faster.
async fn sweep(cluster: &Cluster) {
    let db = Db::open(cluster.url(), PoolSize(1), Role::Owner).await.unwrap();
    let mut conn = db.conn().await.unwrap();
    let rows: Vec<NameRow> = sql_query(r"SELECT datname::text AS name FROM pg_database WHERE datname LIKE 'it\_%'")
        .load(&mut conn)
        .await
        .unwrap();
    for NameRow { name } in rows {
        let pid = name.split('_').nth(1).and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
        if pid.is_none_or(|pid| {
            test_kill_process(pid).is_err() || pid.as_raw_nonzero().get().unsigned_abs() == process::id()
        }) {
            conn.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
        }
    }
}

async fn on_server(cluster: &Cluster, statement: &str) {
    let db = Db::open(cluster.url(), PoolSize(1), Role::Owner).await.unwrap();
    db.conn().await.unwrap().batch_execute(statement).await.unwrap();
}

/// On a runtime of its own: the test's may be the one that is ending.
fn drop_database(name: &str) {
    let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    let dropped = thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(on_server(SHARED.get().unwrap(), &statement));
    });
    // A test that fails has said why already.
    let _ = dropped.join();
}
