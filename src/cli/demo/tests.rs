use super::story::{Story, Style};
use super::{Args, run_to_its_end};
use crate::scratch::Scratch;

#[test]
fn one_study_goes_through_the_proxy_and_is_told() {
    let folder = Scratch::new();
    let args = Args { once: true, dir: Some(folder.path().join("demo")) };
    // Twice in the same folder: the second time finds everything there, and makes the same of it.
    let mut archived = Vec::new();
    for _ in 0..2 {
        let mut out = Vec::new();
        run_to_its_end(&args, &mut Story::new(&mut out, Style::PLAIN)).unwrap();
        let text = String::from_utf8(out).unwrap();
        for line in [
            "page of the proxy: http://127.0.0.1:",
            "C-ECHO, then 8 objects (1.1 MB) sent over TLS 1.3, X25519MLKEM768, all stored",
            "PatientName               DURAND^CAMILLE^ANNE     SUBJECT^DEMO",
            "(0008,1140)[1](0008,1155)  ReferencedSOPInstanceUID  2.25.",
            "from           CT_DEMO, 127.0.0.1:",
            "certificate    CN=ct.demo.example (dns:ct.demo.example)",
            "operations     C-ECHO: 1 success; C-STORE: 8 success",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(
            text.lines().all(|line| line.chars().count() <= 100
                || line.contains(&*args.dir.as_ref().unwrap().to_string_lossy())),
            "{text}"
        );
        let mut names: Vec<_> = std::fs::read_dir(folder.path().join("demo/archive"))
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect();
        names.sort();
        archived.push(names);
    }
    assert_eq!(archived[0].len(), 8);
    assert_eq!(archived[0], archived[1]);
}
