// A requestor and an acceptor of dcmjs-dimse.
//   dcmjs.js scu PORT FILE      C-ECHO, C-STORE of FILE, then C-FIND of its patient's studies; one JSON line
//   dcmjs.js scp                an acceptor; prints "listening PORT", then a JSON line for each request
const net = require('net');
const { Client, Server, Scp, Dataset, requests, responses, constants } = require('dcmjs-dimse');
const { CEchoRequest, CStoreRequest, CFindRequest } = requests;
const { CEchoResponse, CStoreResponse, CFindResponse } = responses;
const { Status, PresentationContextResult } = constants;
require('dcmjs-dimse').log.setLevel('warn');

function say(value) {
  process.stdout.write(JSON.stringify(value) + '\n');
}

function scu(port, file) {
  const told = { echo: null, store: null, find: [], studies: [] };
  const client = new Client();
  const echo = new CEchoRequest();
  echo.on('response', (response) => (told.echo = response.getStatus()));
  const store = new CStoreRequest(file);
  store.on('response', (response) => (told.store = response.getStatus()));
  const find = CFindRequest.createStudyFindRequest({ PatientID: '*', StudyInstanceUID: '' });
  find.on('response', (response) => {
    told.find.push(response.getStatus());
    if (response.hasDataset()) told.studies.push(response.getDataset().getElement('StudyInstanceUID'));
  });
  [echo, store, find].forEach((request) => client.addRequest(request));
  client.on('networkError', (error) => say({ error: String(error) }));
  client.on('closed', () => say(told));
  client.send('127.0.0.1', port, 'DCMJS', 'PACS');
}

class Archive extends Scp {
  associationRequested(association) {
    for (const { id } of association.getPresentationContexts()) {
      const context = association.getPresentationContext(id);
      const [syntax] = context.getTransferSyntaxUids();
      context.setResult(PresentationContextResult.Accept, syntax);
    }
    this.sendAssociationAccept();
  }

  cEchoRequest(request, callback) {
    say({ operation: 'C-ECHO' });
    const response = CEchoResponse.fromRequest(request);
    response.setStatus(Status.Success);
    callback(response);
  }

  cStoreRequest(request, callback) {
    const data = request.getDataset();
    say({ operation: 'C-STORE', instance: data.getElement('SOPInstanceUID'), patient: data.getElement('PatientID') });
    const response = CStoreResponse.fromRequest(request);
    response.setStatus(Status.Success);
    callback(response);
  }

  cFindRequest(request, callback) {
    say({ operation: 'C-FIND' });
    const match = CFindResponse.fromRequest(request);
    match.setDataset(new Dataset({ QueryRetrieveLevel: 'STUDY', PatientID: '4711', StudyInstanceUID: '2.25.4711' }));
    match.setStatus(Status.Pending);
    const last = CFindResponse.fromRequest(request);
    last.setStatus(Status.Success);
    callback([match, last]);
  }

  associationReleaseRequested() {
    this.sendAssociationReleaseResponse();
  }
}

function scp() {
  const found = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = found.address();
    found.close(() => {
      new Server(Archive).listen(port);
      say({ listening: port });
    });
  });
}

const [, , role, port, file] = process.argv;
if (role === 'scu') scu(Number(port), file);
else scp();
