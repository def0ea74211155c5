//! The A-ASSOCIATE codec: what was read and written anew is read as the same, so that two readers see one request.

use dimsegate::wire::associate::{AssociateAc, AssociateRq};
use dimsegate::wire::pdu::HEADER;

pub fn check(body: &[u8]) {
    if let Ok(request) = AssociateRq::decode(body) {
        let written = request.encode().expect("what fitted into one PDU fits again");
        assert_eq!(AssociateRq::decode(&written[HEADER..]).as_ref(), Ok(&request));
    }
    if let Ok(answer) = AssociateAc::decode(body) {
        let written = answer.encode().expect("what fitted into one PDU fits again");
        assert_eq!(AssociateAc::decode(&written[HEADER..]).as_ref(), Ok(&answer));
    }
}
