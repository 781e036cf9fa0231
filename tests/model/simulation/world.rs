//! One seed: a server, processes on it that come and go, callers, and years that pass between two calls.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use perennial::kernel::id::LaneCount;
use perennial::loyalty::ledger::post::{Ledger, WriterCount};
use perennial::loyalty::ledger::posting::RequestHash;
use perennial::loyalty::ledger::writer::Pace;
use perennial::loyalty::program::timelines::Timelines;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::command::{Ordered, What};
use crate::engine::member_id;
use crate::facts::Time;
use crate::generate::Generator;
use crate::rng::Rng;
use crate::simulation::callers::{ANSWER_MAX, Ask, Heard, Name, Naming, Way, call, post};
use crate::simulation::oracle::{Asked, Follower};
use crate::simulation::postings::{Count, ILLNESSES, Illness, stock};
use crate::simulation::server::{Counter, Server};
use crate::simulation::session::{Store, linger};
use crate::simulation::weather::Point;
use crate::spec::Spec;

/// The most callers at once.
const CALLERS_MAX: usize = 24;
/// How much of the counted stock there is.
const STOCK: i64 = 4;

/// What was asked under a name, and heard of it.
pub type Log = BTreeMap<String, Vec<(RequestHash, Heard)>>;

struct Process {
    number: u64,
    ledger: Ledger,
    alive: Arc<AtomicBool>,
    died: Arc<Notify>,
}

pub struct World {
    pub server: Arc<Server>,
    processes: Mutex<Vec<Process>>,
    pub log: Mutex<Log>,
    pub kinds: Mutex<BTreeMap<String, u64>>,
}

impl World {
    /// One of the processes, and how one hears of its death.
    pub fn process(&self, rng: &mut Rng) -> (Ledger, Arc<Notify>) {
        let processes = self.processes.lock().unwrap();
        let process = rng.pick(&processes);
        (process.ledger.clone(), Arc::clone(&process.died))
    }

    pub fn heard(&self, name: Option<&Name>, ill: bool, way: Way, heard: &Heard) {
        *self.kinds.lock().unwrap().entry(heard.kind()).or_default() += 1;
        let Some((reference, hash)) = name else { return };
        let mut state = self.server.state();
        state.note(|| format!("{way:?} {reference} heard {}", heard.kind()));
        if *heard == Heard::Unavailable && !ill && !state.weather.is_stormy() {
            state.wrong(format!("{reference} is unavailable, and nothing failed but others of its group"));
        }
        drop(state);
        if way != Way::Preview {
            self.log.lock().unwrap().entry(reference.as_str().to_owned()).or_default().push((*hash, heard.clone()));
        }
    }
}

/// What a seed has shown.
pub struct Seen {
    pub broken: Vec<String>,
    pub trace: Vec<String>,
    pub reached: BTreeMap<Point, u64>,
    pub kinds: BTreeMap<String, u64>,
    pub postings: u64,
    pub virtual_days: i64,
}

pub struct Run<'s> {
    spec: &'s Spec,
    world: Arc<World>,
    rng: Rng,
    generator: Generator,
    follower: Follower<'s>,
    callers: JoinSet<()>,
    asked: Asked,
    recent: Vec<Ask>,
    names: u32,
    ids: HashSet<u32>,
    born: u64,
    stormy: bool,
    published: Vec<Time>,
}

impl<'s> Run<'s> {
    pub fn new(seed: u64, spec: &'s Spec, traced: bool) -> Self {
        let mut rng = Rng::new(seed ^ 0x5eed);
        let lanes = LaneCount(i16::try_from(rng.within(1, 4)).unwrap());
        let start = spec.calendar.start(spec.first_day);
        let server = Arc::new(Server::new(seed, lanes, start, traced));
        server.state().tables.counters.insert(stock(), Counter { used: 0, max: Some(STOCK) });
        let stormy = server.state().weather.is_stormy();
        let world = Arc::new(World {
            server,
            processes: Mutex::new(Vec::new()),
            log: Mutex::new(Log::new()),
            kinds: Mutex::new(BTreeMap::new()),
        });
        let mut run = Self {
            spec,
            world,
            generator: Generator::new(seed, spec, 0),
            follower: Follower::new(spec),
            callers: JoinSet::new(),
            asked: HashMap::new(),
            recent: Vec::new(),
            names: 0,
            ids: HashSet::new(),
            born: 0,
            stormy,
            published: spec.versions.iter().skip(1).map(|v| v.starts).collect(),
            rng,
        };
        for _ in 0..run.rng.within(1, 3) {
            let process = run.bear();
            run.world.processes.lock().unwrap().push(process);
        }
        run
    }

    /// So many commands, then a good day, then the reckoning.
    pub async fn run(mut self, commands: u32) -> Seen {
        let begun = self.world.server.state().now();
        for _ in 0..commands {
            if !self.follow() {
                break;
            }
            if self.stormy {
                self.trouble();
            }
            self.ask();
            match self.rng.within(1, 100) {
                1..=50 => {}
                51..=88 => sleep(Duration::from_millis(u64::try_from(self.rng.within(0, 12)).unwrap())).await,
                _ => self.hear_all(0).await,
            }
            self.hear_all(CALLERS_MAX).await;
        }
        self.calm_down();
        self.hear_all(0).await;
        self.end(begun).await
    }

    async fn end(mut self, begun: Time) -> Seen {
        let processes = std::mem::take(&mut *self.world.processes.lock().unwrap());
        for process in processes {
            self.close(process);
        }
        self.hear_all(0).await;
        // The last who lost their connections end too.
        sleep(ANSWER_MAX).await;
        let follows = self.follow();
        let log = std::mem::take(&mut *self.world.log.lock().unwrap());
        let mut state = self.world.server.state();
        let mut broken = std::mem::take(&mut state.broken);
        if follows {
            broken.extend(self.follower.reckon(&state, self.world.server.lanes, &log));
        }
        let kinds = std::mem::take(&mut *self.world.kinds.lock().unwrap());
        Seen {
            broken,
            trace: state.trace.take().unwrap_or_default(),
            reached: std::mem::take(&mut state.weather.reached),
            kinds,
            postings: state.tables.postings.values().map(|rows| u64::try_from(rows.len()).unwrap()).sum(),
            virtual_days: (state.now() - begun).num_days(),
        }
    }

    fn calm_down(&mut self) {
        let mut state = self.world.server.state();
        state.weather.calm_down();
        let now = tokio::time::Instant::now();
        (state.down_until, state.standby_until, state.full_until) = (now, now, now);
    }

    /// Feeds what was committed to those who do it again, one after the other, until something is wrong.
    fn follow(&mut self) -> bool {
        let commits = std::mem::take(&mut self.world.server.state().commits);
        let wrong = commits.iter().find_map(|rows| self.follower.follow(rows, &self.asked).err());
        let mut state = self.world.server.state();
        if let Some(wrong) = wrong {
            state.wrong(wrong);
        }
        state.broken.is_empty()
    }

    /// Waits until no more than so many callers are left.
    async fn hear_all(&mut self, left: usize) {
        while self.callers.len() > left {
            if let Some(Err(error)) = self.callers.join_next().await {
                self.world.server.state().wrong(format!("a caller ended badly: {error}"));
            }
        }
    }

    fn bear(&mut self) -> Process {
        self.born += 1;
        let alive = Arc::new(AtomicBool::new(true));
        let server = Arc::clone(&self.world.server);
        let timeline = Arc::new(self.spec.timeline.clone());
        let lanes = server.lanes;
        let store = Store { server, timeline, process: self.born, alive: Arc::clone(&alive) };
        let group_max = usize::try_from(self.rng.within(1, 8)).unwrap();
        let queue_max = usize::try_from(self.rng.within(1, 16)).unwrap();
        let pace = Pace { group_max, queue_max, ..Pace::serving() };
        let writers = WriterCount(u16::try_from(self.rng.within(1, 2)).unwrap());
        let ledger = Ledger::start_at(&store, lanes, Timelines::default(), writers, pace);
        Process { number: self.born, ledger, alive, died: Arc::default() }
    }

    /// Puts a new process in the place of one, and answers that.
    fn replace(&mut self) -> Process {
        let next = self.bear();
        let mut processes = self.world.processes.lock().unwrap();
        let place = usize::try_from(self.rng.next()).unwrap_or_default() % processes.len();
        std::mem::replace(&mut processes[place], next)
    }

    fn close(&mut self, process: Process) {
        let world = Arc::clone(&self.world);
        self.callers.spawn(async move {
            if timeout(ANSWER_MAX, process.ledger.close()).await.is_err() {
                world.server.state().wrong(String::from("a process did not close"));
            }
        });
    }

    fn kill(&mut self) {
        let process = self.replace();
        process.alive.store(false, Ordering::SeqCst);
        process.died.notify_waiters();
        let open = self.world.server.state().open_of(process.number);
        for tx in open {
            linger(&self.world.server, tx, None);
        }
    }

    fn trouble(&mut self) {
        let lasts = Duration::from_millis(u64::try_from(self.rng.within(1, 1_500)).unwrap());
        let until = tokio::time::Instant::now() + lasts;
        let place = self.rng.within(1, 1_000);
        let mut state = self.world.server.state();
        match place {
            1..=4 => return state.outage(lasts),
            5..=8 => return state.fail_over(lasts),
            9..=11 => return state.full_until = until,
            12..=15 => {
                state.weather.note(Point::ClockStepsBack);
                let now = state.now();
                return state.set_clock(now - lasts);
            }
            _ => drop(state),
        }
        let note = |point| self.world.server.state().weather.note(point);
        match place {
            16..=19 => {
                note(Point::ProcessDies);
                self.kill();
            }
            20..=22 => {
                note(Point::ProcessDropped);
                drop(self.replace());
            }
            23..=25 => {
                note(Point::ProcessClosed);
                let process = self.replace();
                self.close(process);
            }
            _ => {}
        }
    }

    fn ask(&mut self) {
        let (ask, way) = self.next();
        let name = post(&ask, Naming).filter(|_| !matches!(ask, Ask::Due(_)));
        if let (Some((reference, hash)), false) = (&name, way == Way::Preview) {
            self.asked.entry(reference.as_str().to_owned()).or_default().push((*hash, ask.clone()));
            self.recent.push(ask.clone());
        }
        // Now and then two at once, as impatient storefronts do.
        for _ in 0..if self.rng.percent(8) { 2 } else { 1 } {
            let rng = Rng::new(self.rng.next());
            self.callers.spawn(call(Arc::clone(&self.world), (ask.clone(), name.clone()), way, rng));
        }
    }

    fn next(&mut self) -> (Ask, Way) {
        let known: Vec<u32> = self.follower.model.members.keys().copied().collect();
        let member = member_id(if known.is_empty() { 0 } else { *self.rng.pick(&known) });
        self.names += 1;
        let name = format!("x{}", self.names);
        let way = if self.rng.percent(15) { Way::Enqueue } else { Way::Post };
        match self.rng.within(1, 100) {
            1..=28 => {
                let by = if self.rng.percent(60) { 1 } else { -1 };
                let ill = self.rng.percent(6);
                let illness = if ill { *self.rng.pick(&ILLNESSES) } else { Illness::None };
                let way = if ill && self.rng.percent(30) { Way::Preview } else { way };
                if illness == Illness::Panic {
                    let point = if way == Way::Preview { Point::QuotePanics } else { Point::DecisionPanics };
                    self.world.server.state().weather.note(point);
                }
                (Ask::Count(Count { member, name, by, bound: Some(STOCK), illness }), way)
            }
            29..=52 => {
                let card = self.rng.percent(60).then(|| format!("card{}", self.rng.within(1, 3)));
                (Ask::Card { member, name, card }, way)
            }
            53..=62 => (Ask::Due(member), way),
            63..=69 if !self.recent.is_empty() => (self.rng.pick(&self.recent).clone(), way),
            place => {
                let mut command = self.generator.next(&self.follower.model);
                self.mind_the_door(&mut command.what);
                self.reach(command.clock);
                match command.what {
                    What::Look => (Ask::Due(member), way),
                    _ => (Ask::Shop(command), if place <= 73 { Way::Preview } else { way }),
                }
            }
        }
    }

    /// What the door lets in: imports that run at their business time, adjustments of something, new members with ids
    /// that nobody had.
    fn mind_the_door(&mut self, what: &mut What) {
        if let What::Order(order) = what {
            order.ordered = order.imported.map_or(order.ordered, Ordered::At);
        }
        if let What::Adjust { points, .. } = what {
            *points = (*points).max(1);
        }
        let new = match what {
            What::Enrol { member, .. } => member,
            What::Order(order) if order.new => &mut order.member,
            _ => return,
        };
        if !self.ids.insert(*new) {
            *new = 10_000 + u32::try_from(self.ids.len()).unwrap();
            self.ids.insert(*new);
        }
    }

    /// Lets time pass up to a moment, with the versions that start on the way.
    fn reach(&mut self, at: Time) {
        let mut state = self.world.server.state();
        while self.published.first().is_some_and(|starts| *starts <= at + chrono::Duration::days(1)) {
            self.published.remove(0);
            state.tables.versions += 1;
            state.weather.note(Point::VersionPublished);
        }
        let now = state.now();
        if at > now {
            if at - now > chrono::Duration::days(1) {
                state.weather.note(Point::ClockJumpsAhead);
            }
            state.set_clock(at);
        }
    }
}
