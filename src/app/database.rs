//! The database of a command: the one of `DATABASE_URL`, or the private cluster.

use std::path::Path;

use super::failure::Failure;
use super::settings::{Place, Settings};
use crate::platform::db::embedded::Cluster;
use crate::platform::db::{DatabaseUrl, Db, PoolSize, Role, migrate, pending};

/// The database that a command works with; a private cluster runs at least until `close`.
pub struct Database {
    url: DatabaseUrl,
    cluster: Option<Cluster>,
}

impl Database {
    /// Finds it, and starts or joins the private cluster if that is it.
    ///
    /// # Errors
    /// `Configuration` when there is neither a URL nor a server to start.
    pub async fn locate(settings: &Settings) -> Result<Self, Failure> {
        match &settings.database {
            Place::Url(url) => Ok(Self { url: url.clone(), cluster: None }),
            Place::Private(place) => {
                let cluster = Cluster::start(place).await?;
                tracing::info!(joined = cluster.joined(), home = %place.home.display(), "private Postgres is running");
                Ok(Self { url: cluster.url().clone(), cluster: Some(cluster) })
            }
        }
    }

    /// Does one command's work on a pool, and leaves the database afterwards, however the work ended.
    ///
    /// # Errors
    /// Those of the work, and as [`Database::locate`] and [`Database::open`].
    pub async fn with<T>(
        settings: &Settings,
        size: PoolSize,
        work: impl AsyncFnOnce(&Db) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let database = Self::locate(settings).await?;
        let done = match database.open(settings, size).await {
            Ok(db) => {
                let done = work(&db).await;
                db.close();
                done
            }
            Err(failure) => Err(failure),
        };
        database.close().await?;
        done
    }

    /// How to reach it, as its owner.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// The directory of the private cluster's socket.
    pub fn socket_directory(&self) -> Option<&Path> {
        self.cluster.as_ref().map(Cluster::socket_directory)
    }

    /// Opens a pool for the application on a schema that is up to date: a private one is migrated on the way.
    ///
    /// # Errors
    /// `Configuration` when somebody has to run `perennial migrate` first, or a newer program did.
    pub async fn open(&self, settings: &Settings, size: PoolSize) -> Result<Db, Failure> {
        if self.cluster.is_some() {
            migrate(&self.url, settings.lanes).await?;
        }
        let db = Db::open(&self.url, size, Role::App).await?;
        let missing = pending(&db).await?;
        if missing.is_empty() {
            return Ok(db);
        }
        let missing = missing.join(", ");
        Err(Failure::Configuration(format!("the database lacks migrations ({missing}): run `perennial migrate`")))
    }

    /// Leaves the private cluster, which stops if nobody else uses it.
    ///
    /// # Errors
    /// When it does not stop.
    pub async fn close(self) -> Result<(), Failure> {
        if let Some(cluster) = self.cluster {
            let stopped = cluster.stop().await?;
            tracing::info!(stopped, "left the private Postgres");
        }
        Ok(())
    }
}
