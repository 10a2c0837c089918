// An example driver over the contract in docs/driver-contract.md: Go alone, snapshots on an Element array.
//
// Run it with `go build driver.go && snapproof run --driver cmd:./driver`. Its siblings in Java, Node.js and Python do the
// same calls in the same order under the same names. It keeps its records in one file of its state directory, beside the
// array's own.
package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"math/rand"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	triesMax          = 5
	nameCharactersMax = 255
	lunBytesMin       = 1_000_000_000
	metadataBytes     = 8 << 20 // hosts keep their own beside the disk
)

type object = map[string]any

var (
	description = object{"name": "example-go", "version": "1.0", "capabilities": []string{"snapshot-primary", "accounting"}}
	kinds       = map[string]int{"invalid-request": 400, "not-found": 404, "not-supported": 501, "backend": 502, "unavailable": 503}
	passing     = map[string]bool{"xDBVersionMismatch": true, "xNotPrimary": true, "xNotReadyForIO": true, "xSliceNotRegistered": true}
	gone        = map[string]bool{"xSnapshotIDDoesNotExist": true, "xVolumeIDDoesNotExist": true, "xVolumeDoesNotExist": true}
	places      = map[string]string{"primary": "PRIMARY", "secondary": "SECONDARY"}
)

// problem is a refusal: one of kinds, and a sentence.
type problem struct{ kind, detail string }

// refused says that the array said no; it is the name of its error.
type refused string

// unanswered says that nobody knows whether the array did it.
type unanswered string

func (p problem) Error() string    { return p.detail }
func (r refused) Error() string    { return string(r) }
func (u unanswered) Error() string { return string(u) }

// driver is one life, at one site.
type driver struct {
	site, array object
	client      *http.Client
	path        string
	Volumes     map[string]object `json:"volumes"`
	Snapshots   map[string]object `json:"snapshots"`
}

func newDriver(site object) (*driver, error) {
	array := site["array"].(object)
	trust := x509.NewCertPool()
	if authority, given := array["ca_pem"].(string); given {
		trust.AppendCertsFromPEM([]byte(authority))
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}, DisableKeepAlives: true}
	d := &driver{site: site, array: array, path: filepath.Join(site["state_directory"].(string), "records.json"),
		client: &http.Client{Transport: transport, Timeout: 30 * time.Second}, Volumes: map[string]object{}, Snapshots: map[string]object{}}
	if kept, err := os.ReadFile(d.path); err == nil {
		return d, json.Unmarshal(kept, d)
	}
	return d, nil
}

// keep writes the records down, all or nothing.
func (d *driver) keep() error {
	text, _ := json.Marshal(d)
	if err := os.WriteFile(d.path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(d.path+".new", d.path)
}

// call asks the array once. Its error is refused or unanswered.
func (d *driver) call(method string, params object) (object, error) {
	if !strings.HasPrefix(d.array["url"].(string), "https:") {
		return nil, problem{"unavailable", "The array shows no certificate, so it is not told the password."}
	}
	body, _ := json.Marshal(object{"method": method, "params": params, "id": 1})
	request, _ := http.NewRequest("POST", d.array["url"].(string)+"/json-rpc/9.0", bytes.NewReader(body))
	request.SetBasicAuth(d.array["username"].(string), d.array["password"].(string))
	request.Header.Set("content-type", "application/json-rpc")
	var answer struct {
		Result object
		Error  *struct{ Name string }
	}
	response, err := d.client.Do(request)
	if err == nil {
		defer response.Body.Close()
		if err = json.NewDecoder(response.Body).Decode(&answer); response.StatusCode != 200 {
			err = fmt.Errorf("HTTP %d", response.StatusCode)
		}
	}
	if err != nil {
		return nil, unanswered("The array gave no answer to " + method + ".")
	}
	if answer.Error != nil {
		return nil, refused(answer.Error.Name)
	}
	return answer.Result, nil
}

// insist acts, and again while that may help; but it looks first whether an earlier try has worked after all.
func (d *driver) insist(act, find func() (object, error)) (object, error) {
	for tries := 1; ; tries++ {
		var found object
		var err error
		if tries > 1 && find != nil {
			found, err = find()
		}
		if found == nil && err == nil {
			found, err = act()
		}
		if err == nil {
			return found, nil
		}
		if _, decided := err.(problem); decided {
			return nil, err
		}
		_, silent := err.(unanswered)
		if !(silent || passing[err.Error()]) || tries == triesMax {
			return nil, problem{"backend", err.Error()}
		}
		pause := 15 * float64(int(1)<<tries) * (1 + 0.4*rand.Float64())
		time.Sleep(time.Duration(pause * float64(time.Millisecond)))
	}
}

// ask insists on one call without effect, or one that may be repeated.
func (d *driver) ask(method string, params object) (object, error) {
	return d.insist(func() (object, error) { return d.call(method, params) }, nil)
}

// end deletes something; what is gone already is no error.
func (d *driver) end(method string, params object) error {
	if _, err := d.ask(method, params); err != nil && !gone[err.Error()] {
		return err
	}
	return nil
}

// account finds or makes the array's account that owns our volumes.
func (d *driver) account() (any, error) {
	listed, err := d.ask("ListAccounts", object{})
	if err != nil {
		return nil, err
	}
	if row := first(listed["accounts"], "username", "example"); row != nil {
		return row["accountID"], nil
	}
	made, err := d.ask("AddAccount", object{"username": "example"})
	return made["accountID"], err
}

func (d *driver) createVolume(asked object) (any, error) {
	request := asked["request"].(object)
	if request["from_snapshot"] != nil || request["from_template"] != nil {
		return nil, problem{"not-supported", "This driver makes empty volumes only."}
	}
	identity := identityOf("volume", request["operation"].(string))
	if _, exists := d.Volumes[identity]; exists {
		return d.Volumes[identity], nil
	}
	account, err := d.account()
	if err != nil {
		return nil, err
	}
	size := request["size_bytes"].(float64) + metadataBytes
	if size < lunBytesMin {
		size = lunBytesMin
	}
	qos := request["qos"].(object)
	limits := object{"minIOPS": qos["min_iops"], "maxIOPS": qos["max_iops"], "burstIOPS": qos["burst_iops"]}
	wanted := object{"name": identity, "accountID": account, "totalSize": int64(size), "enable512e": true, "qos": limits}
	create := func() (object, error) { return d.call("CreateVolume", wanted) }
	made, err := d.insist(create, func() (object, error) { return d.lun(identity) })
	if err != nil {
		return nil, err
	}
	listed, err := d.ask("ListVolumes", object{"volumeIDs": []any{made["volumeID"]}})
	if err != nil {
		return nil, err
	}
	iqn := first(listed["volumes"], "volumeID", made["volumeID"])["iqn"]
	volume := object{"id": identity, "target": iqn, "lun": made["volumeID"]}
	for _, name := range []string{"account", "name", "size_bytes", "qos"} {
		volume[name] = request[name]
	}
	d.Volumes[identity] = volume
	return volume, d.keep()
}

// lun finds the array's volume of this name.
func (d *driver) lun(name string) (object, error) {
	listed, err := d.call("ListVolumes", object{"volumeName": name, "volumeStatus": "active"})
	return first(listed["volumes"], "name", name), err
}

func (d *driver) listVolumes(asked object) (any, error) {
	return fitting(d.Volumes, asked, "account"), nil
}

func (d *driver) deleteVolume(asked object) (any, error) {
	volume, err := known(d.Volumes, asked["volume"])
	if err == nil {
		err = d.end("DeleteVolume", object{"volumeID": volume["lun"]})
	}
	if err != nil {
		return nil, err
	}
	delete(d.Volumes, volume["id"].(string))
	return nil, d.keep()
}

func (d *driver) takeSnapshot(asked object) (any, error) {
	request := asked["request"].(object)
	identity := identityOf("snapshot", request["operation"].(string))
	if _, exists := d.Snapshots[identity]; exists {
		return d.Snapshots[identity], nil
	}
	row, err := d.begun(identity, request)
	if err != nil {
		return nil, err
	}
	d.Snapshots[identity] = row
	if err := d.keep(); err != nil {
		return nil, err
	}
	lun := d.Volumes[row["volume"].(string)]["lun"]
	made, err := d.insist(func() (object, error) {
		answer, err := d.call("CreateSnapshot", object{"volumeID": lun, "name": identity})
		made, _ := answer["snapshot"].(object)
		return made, err
	}, func() (object, error) { return d.copy(lun, identity) })
	if err == nil {
		err = check(made, lun, identity)
	}
	if err != nil {
		if stray, _ := d.insist(func() (object, error) { return d.copy(lun, identity) }, nil); stray != nil {
			_ = d.end("DeleteSnapshot", object{"snapshotID": stray["snapshotID"]})
		}
		return nil, err
	}
	reference := fmt.Sprintf("SfSnapshotId=%.0f", made["snapshotID"])
	row["copies"] = []any{object{"location": "PRIMARY", "reference": reference, "physical_size_bytes": row["size_bytes"]}}
	row["state"] = "BackedUp"
	return row, d.keep()
}

// begun refuses what cannot be done before anything is begun; else it writes down what is meant.
func (d *driver) begun(identity string, request object) (object, error) {
	written, given := request["location"].(string)
	if !given {
		written = "primary"
	}
	location := places[strings.ToLower(strings.TrimSpace(written))]
	name, wanted := request["name"].(string), request["volume"].(string)
	volume, exists := d.Volumes[wanted]
	switch {
	case location == "":
		return nil, problem{"invalid-request", "A location is PRIMARY or SECONDARY."}
	case d.site["hypervisor_type"] == "VMware":
		return nil, problem{"invalid-request", "This driver takes no snapshots for VMware hosts."}
	case utf8.RuneCountInString(name) > nameCharactersMax:
		return nil, problem{"invalid-request", fmt.Sprintf("A name has at most %d characters.", nameCharactersMax)}
	case !exists:
		return nil, problem{"invalid-request", "There is no volume " + wanted + "."}
	case request["quiesce"] == true:
		return nil, problem{"not-supported", "This driver cannot quiesce guests."}
	case location == "SECONDARY":
		return nil, problem{"not-supported", "This driver keeps snapshots on the array only."}
	}
	return object{"id": identity, "name": name, "location": location, "state": "Error", "copies": []any{},
		"account": volume["account"], "volume": volume["id"], "size_bytes": volume["size_bytes"]}, nil
}

// check believes the array only if it speaks of what was asked for.
func check(made object, lun any, name string) error {
	if made["volumeID"] != lun || made["name"] != name {
		return problem{"backend", "The array spoke of another snapshot than " + name + "."}
	}
	return nil
}

// copy finds the array's snapshot of this name.
func (d *driver) copy(lun any, name string) (object, error) {
	listed, err := d.call("ListSnapshots", object{"volumeID": lun})
	return first(listed["snapshots"], "name", name), err
}

func (d *driver) listSnapshots(asked object) (any, error) {
	return fitting(d.Snapshots, asked, "account", "volume", "location"), nil
}

func (d *driver) deleteSnapshot(asked object) (any, error) {
	snapshot, err := known(d.Snapshots, asked["snapshot"])
	if err != nil {
		return nil, err
	}
	for _, copied := range snapshot["copies"].([]any) {
		var number int64
		_, _ = fmt.Sscanf(copied.(object)["reference"].(string), "SfSnapshotId=%d", &number)
		if err := d.end("DeleteSnapshot", object{"snapshotID": number}); err != nil {
			return nil, err
		}
	}
	delete(d.Snapshots, snapshot["id"].(string))
	return nil, d.keep()
}

func (d *driver) resourceCounts(asked object) (any, error) {
	done, used := 0, 0.0
	for _, row := range fitting(d.Snapshots, asked, "account") {
		if row["state"] == "BackedUp" {
			done, used = done+1, used+row["size_bytes"].(float64)
		}
	}
	for _, row := range fitting(d.Volumes, asked, "account") {
		used += row["size_bytes"].(float64)
	}
	return object{"snapshots": done, "secondary_storage_bytes": 0, "primary_storage_bytes": int64(used)}, nil
}

// identityOf names a thing by the operation that makes it: sent twice, it is one thing, in our list and on the array.
func identityOf(kind, operation string) string {
	return fmt.Sprintf("%s-%x", kind, sha256.Sum256([]byte(operation)))[:len(kind)+25]
}

func known(rows map[string]object, identity any) (object, error) {
	if row, exists := rows[identity.(string)]; exists {
		return row, nil
	}
	return nil, problem{"not-found", fmt.Sprintf("There is no %s.", identity)}
}

// first gives the first of the array's rows whose member is this, if there is one.
func first(rows any, member string, wanted any) object {
	listed, _ := rows.([]any)
	for _, row := range listed {
		if row.(object)[member] == wanted {
			return row.(object)
		}
	}
	return nil
}

// fitting gives the rows that are what was asked for, by those members of the question that are not null.
func fitting(rows map[string]object, asked object, members ...string) []object {
	found := []object{}
next:
	for _, row := range rows {
		for _, member := range members {
			if asked[member] != nil && asked[member] != row[member] {
				continue next
			}
		}
		found = append(found, row)
	}
	return found
}

func nothing(object) (any, error) { return nil, nil }

func (d *driver) verbs() map[string]func(object) (any, error) {
	return map[string]func(object) (any, error){
		"describe":      func(object) (any, error) { return description, nil },
		"create-volume": d.createVolume, "list-volumes": d.listVolumes, "delete-volume": d.deleteVolume,
		"take-snapshot": d.takeSnapshot, "list-snapshots": d.listSnapshots, "delete-snapshot": d.deleteSnapshot,
		"resource-counts": d.resourceCounts,
		"reconcile":       nothing, // whatever is half done is looked for when it is asked for again
		"close":           nothing,
	}
}

var life *driver

func answer(verb string, asked object) (said any, err error) {
	if verb == "begin" {
		life, err = newDriver(asked)
		return nil, err
	}
	if life == nil {
		return nil, problem{"unavailable", "No life has begun."}
	}
	if perform, exists := life.verbs()[verb]; exists {
		return perform(asked)
	}
	return nil, problem{"not-supported", "This driver has no verb " + verb + "."}
}

func main() {
	var turn sync.Mutex // one verb at a time
	serve := func(writer http.ResponseWriter, request *http.Request) {
		asked, kind, status := object{}, "application/json", 200
		_ = json.NewDecoder(request.Body).Decode(&asked)
		turn.Lock()
		said, err := answer(strings.TrimPrefix(request.URL.Path, "/v1/"), asked)
		turn.Unlock()
		if refusal, isProblem := err.(problem); isProblem {
			kind, status = "application/problem+json", kinds[refusal.kind]
			said = object{"type": "urn:snapproof:problem:" + refusal.kind, "title": refusal.kind, "status": status, "detail": refusal.detail}
		} else if err != nil {
			log.Fatal(err)
		}
		body, _ := json.Marshal(said)
		writer.Header().Set("content-type", kind)
		writer.WriteHeader(status)
		_, _ = writer.Write(body)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("{\"ready\": \"http://%s\", \"contract\": \"1.0\"}\n", listener.Addr())
	log.Fatal(http.Serve(listener, http.HandlerFunc(serve)))
}
