//! Real input: every DICOM file that the wheels of pydicom and pydicom-data carry, broken ones too.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use crate::association::Association;
use crate::command::Command;
use crate::object::Object;
use crate::peers::{self, Archive, peers_folder};
use crate::scratch::Scratch;
use crate::upper::Request;

/// How many of them DCMTK 3.6.7's storescu can send to its storescp, with nothing between them.
pub const SENT_BY_DCMTK: usize = 236;

/// What the files without meta information turn out to be: RT Ion Plan twice, RT Structure Set.
const WITHOUT_META: [(&str, &str); 3] = [
    ("1.2.840.10008.5.1.4.1.1.481.8", "1.2.840.10008.1.2.1"),
    ("1.2.840.10008.5.1.4.1.1.481.8", "1.2.840.10008.1.2.2"),
    ("1.2.840.10008.5.1.4.1.1.481.3", "1.2.840.10008.1.2"),
];

const SECONDARY_CAPTURE: &str = "1.2.840.10008.5.1.4.1.1.7";

/// Their paths, sorted. Panics when the wheels are missing or have shrunk.
pub fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&peers_folder().join("venv/lib"), &mut found);
    found.sort();
    assert!(found.len() > 250, "only {} files in the wheels; tests/run installs them", found.len());
    found
}

/// Those with file meta information, as it and the bytes after it say; what is missing there gets a value.
pub fn objects() -> Vec<Object> {
    let read = |path: PathBuf| Object::from_part10(&fs::read(path).expect("a file of the wheels"));
    let mut objects: Vec<Object> = files().into_iter().filter_map(read).collect();
    for (index, object) in objects.iter_mut().enumerate() {
        let or = |value: &mut String, other: String| {
            if value.is_empty() {
                *value = other
            }
        };
        or(&mut object.sop_class, SECONDARY_CAPTURE.into());
        or(&mut object.sop_instance, format!("2.25.{}", 7000 + index));
        or(&mut object.transfer_syntax, "1.2.840.10008.1.2".into());
    }
    objects
}

/// Every pair of SOP class and transfer syntax: one presentation context each, fewer than 128.
pub fn contexts(objects: &[Object]) -> Vec<(String, String)> {
    let pairs = objects.iter().map(|object| (object.sop_class.clone(), object.transfer_syntax.clone()));
    let bare = WITHOUT_META.iter().map(|(sop_class, syntax)| (sop_class.to_string(), syntax.to_string()));
    pairs.chain(bare).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Proposes all of them, ids 1, 3, 5… in that order.
pub fn request() -> Request {
    let pairs = contexts(&objects());
    pairs.iter().fold(Request::new("CORPUS", "PACS"), |request, (sop_class, transfer_syntax)| {
        request.context(sop_class, &[transfer_syntax])
    })
}

/// Sends the data sets as they stand on an association opened with `request`; the statuses that came back.
pub fn store_all(association: &mut Association, objects: &[Object]) -> Vec<u16> {
    let pairs = contexts(objects);
    let store = |(index, object): (usize, &Object)| {
        let pair = (object.sop_class.clone(), object.transfer_syntax.clone());
        let position = pairs.binary_search(&pair).expect("a pair of the corpus");
        let request = Command::c_store_rq(index as u16, &object.sop_class, &object.sop_instance);
        let sent = association.send(position as u8 * 2 + 1, &request, Some(&object.data_set));
        sent.and_then(|()| association.status()).expect("a C-STORE answered")
    };
    objects.iter().enumerate().map(store).collect()
}

/// What a sink that takes checksums says of them.
pub fn digests(objects: &[Object]) -> Vec<(u64, Vec<u8>)> {
    let digest = |bytes: &[u8]| digest::digest(&digest::SHA256, bytes).as_ref().to_vec();
    objects.iter().map(|object| (object.data_set.len() as u64, digest(&object.data_set))).collect()
}

/// Sends every file with storescu, over one association; returns how many got a success.
pub fn send_with_dcmtk(address: std::net::SocketAddr, options: &[&str]) -> usize {
    let profile = Profile::requestor();
    let files: Vec<String> = files().iter().map(|file| file.display().to_string()).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let options = [&["-v", "-nh", "-xf", &profile.path, "Corpus"], options].concat();
    let finished = peers::requestor("storescu", address, &options, &files);
    finished.output.matches("Received Store Response (Success)").count()
}

/// A storescp that accepts every context of the corpus.
pub fn archive() -> Archive {
    let profile = Profile::acceptor();
    peers::storescp(&["+uf", "-xf", &profile.path, "Corpus"])
}

/// Association negotiation for DCMTK: the contexts of the corpus.
struct Profile {
    path: String,
    _folder: Scratch,
}

impl Profile {
    /// One context for each pair.
    fn requestor() -> Self {
        let pairs = contexts(&objects());
        let syntaxes: Vec<Vec<&str>> = pairs.iter().map(|pair| vec![pair.1.as_str()]).collect();
        let lines = pairs.iter().enumerate().map(|(index, pair)| (pair.0.as_str(), index));
        Self::write(&syntaxes, lines)
    }

    /// One context for each SOP class with every transfer syntax; DCMTK takes no class twice from an acceptor.
    fn acceptor() -> Self {
        let pairs = contexts(&objects());
        let classes: BTreeSet<&str> = pairs.iter().map(|pair| pair.0.as_str()).collect();
        let syntaxes: BTreeSet<&str> = pairs.iter().map(|pair| pair.1.as_str()).collect();
        Self::write(&[syntaxes.into_iter().collect()], classes.into_iter().map(|class| (class, 0)))
    }

    fn write<'a>(syntaxes: &[Vec<&str>], contexts: impl Iterator<Item = (&'a str, usize)>) -> Self {
        let mut text = String::from("[[TransferSyntaxes]]\n");
        for (index, list) in syntaxes.iter().enumerate() {
            text += &format!("[T{index}]\n");
            for (number, syntax) in list.iter().enumerate() {
                text += &format!("TransferSyntax{} = {syntax}\n", number + 1);
            }
        }
        text += "[[PresentationContexts]]\n[Contexts]\n";
        for (number, (sop_class, index)) in contexts.enumerate() {
            text += &format!("PresentationContext{} = {sop_class}\\T{index}\n", number + 1);
        }
        text += "[[Profiles]]\n[Corpus]\nPresentationContexts = Contexts\n";
        let folder = Scratch::new();
        let path = folder.path().join("corpus.cfg");
        fs::write(&path, text).expect("a file written");
        Self { path: path.display().to_string(), _folder: folder }
    }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            walk(&path, found);
        } else if of_the_wheels(&path) && is_dicom(&path) {
            found.push(path);
        }
    }
}

fn of_the_wheels(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.contains("site-packages/pydicom/") || text.contains("site-packages/data_store/")
}

fn is_dicom(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "dcm")
        || fs::read(path).is_ok_and(|bytes| bytes.get(128..132) == Some(b"DICM"))
}
