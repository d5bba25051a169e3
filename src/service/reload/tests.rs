use super::*;
use crate::process::AstProcessor;
use crate::service::settings::ProcessEnv;

struct Place {
    folder: tempfile::TempDir,
    engine: Arc<Engine>,
}

impl Place {
    fn new() -> Self {
        let engine = Arc::new(Engine::new(AstProcessor::default()));
        Self { folder: tempfile::tempdir().unwrap(), engine }
    }

    fn write(&self, text: &str) {
        fs::write(self.folder.path().join("outlast.toml"), text).unwrap();
    }

    fn layers(&self) -> Layers {
        let folder = self.folder.path().to_owned();
        Layers { process_env: ProcessEnv { folder, ..ProcessEnv::default() }, ..Layers::default() }
    }

    fn reload(&self, next_job: NextJob) -> Reload {
        let settings = self.layers().load().unwrap();
        let asked = settings.fields().batch.clone();
        Reload::new(self.layers(), settings, asked, Arc::clone(&self.engine), next_job)
    }

    /// Returns the configuration that the engine goes on with.
    fn taken(&self) -> Option<BatchConfig> {
        self.engine.control_flags().take_config().map(|config| (*config).clone())
    }
}

#[test]
fn what_can_change_is_taken_over_and_all_is_told() {
    let place = Place::new();
    place.write("workers = 2\nexclude = [\"a\"]\nout = \"r\"\n");
    let reload = place.reload(NextJob::Elsewhere);
    assert_eq!(reload.read_again().unwrap(), "the configuration is as it was");
    assert_eq!(place.taken(), None, "a run is not disturbed for nothing");
    place.write("workers = 3\nexclude = [\"b\"]\nout = \"s\"\n");
    let answer = reload.read_again().unwrap();
    let parts: Vec<&str> = answer.split("; ").collect();
    assert!(
        parts.iter().any(|part| part.starts_with("workers 2 -> 3 (") && part.ends_with("toml:1)")),
        "{answer}"
    );
    let ends = |key: &str, end: &str| parts.iter().any(|part| part.starts_with(key) && part.ends_with(end));
    assert!(ends("exclude a -> b", ": holds from the next run on"), "{answer}");
    assert!(ends("out ", ": needs a restart"), "{answer}");
    let config = place.taken().unwrap();
    assert_eq!((config.worker_count, config.exclude), (3, vec!["a".to_owned()]));
    let answer = reload.read_again().unwrap();
    assert!(
        !answer.contains("workers") && answer.contains("out "),
        "what was not taken over is told again: {answer}"
    );
}

#[test]
fn a_process_with_more_jobs_to_do_gets_other_filters_too() {
    let place = Place::new();
    let reload = place.reload(NextJob::Here);
    place.write("include = [\"*.json\"]\n");
    let answer = reload.read_again().unwrap();
    assert!(answer.ends_with(": holds with the next job"), "{answer}");
    assert_eq!(place.taken().unwrap().include, ["*.json"]);
}

#[test]
fn a_change_that_is_taken_back_at_once_leaves_the_first_configuration() {
    let place = Place::new();
    place.write("workers = 2\n");
    let reload = place.reload(NextJob::Here);
    place.write("workers = 3\n");
    reload.read_again().unwrap();
    place.write("workers = 2\n");
    reload.read_again().unwrap();
    assert_eq!(place.taken().unwrap().worker_count, 2);
}

#[test]
fn a_file_is_read_once_it_stands_still() {
    let place = Place::new();
    let look = || Marks::of(&place.layers().places());
    let mut watched = Watched { read: look(), moving: None };
    assert!(!watched.has_changed(look()) && !watched.has_changed(look()));
    place.write("work");
    assert!(!watched.has_changed(look()), "it may be half-written");
    place.write("workers = 2\n");
    assert!(!watched.has_changed(look()), "it was");
    assert!(watched.has_changed(look()), "it appeared");
    assert!(!watched.has_changed(look()), "it is read once");
    fs::remove_file(place.folder.path().join("outlast.toml")).unwrap();
    assert!(!watched.has_changed(look()));
    assert!(watched.has_changed(look()), "it went");
}
