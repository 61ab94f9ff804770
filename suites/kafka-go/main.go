// A service of somebody else's: the todo seed's producer and its notification consumer, on
// kafka-go as the seed has them. The test that drives it is ../src/kafka-go.all.test.ts.
//
//	kafka-go produce TITLE...   publishes one task.updated for each title: no key, no assignee
//	kafka-go consume            three readers, one a topic, in one group; a line for each record
//
// Brokers come from KAFKA_BROKERS. The consumer ends when its standard input ends.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"sync"
	"time"
	_ "time/tzdata"

	"github.com/segmentio/kafka-go"
)

func main() {
	if len(os.Args) < 2 {
		log.Fatal("say what to do: produce TITLE..., or consume")
	}
	var err error
	switch command := os.Args[1]; command {
	case "produce":
		err = produce(os.Args[2:])
	case "consume":
		err = consume()
	default:
		err = fmt.Errorf("there is no command %q: it is produce or consume", command)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// TaskEvent is what the seed puts on task.updated and task.completed.
type TaskEvent struct {
	EventType  string      `json:"eventType"`
	TaskID     int         `json:"taskId"`
	TeamID     int         `json:"teamId"`
	ActorID    int         `json:"actorId"`
	CreatorID  int         `json:"creatorId"`
	AssigneeID *int        `json:"assigneeId"`
	Timestamp  time.Time   `json:"timestamp"`
	Payload    interface{} `json:"payload"`
}

// KafkaProducer is the seed's: acknowledged by the leader, and asynchronous.
type KafkaProducer struct {
	writer *kafka.Writer
}

// NewKafkaProducer adds one thing to the seed's: an error of the asynchronous writer is told.
func NewKafkaProducer(failed func(error)) *KafkaProducer {
	return &KafkaProducer{
		writer: &kafka.Writer{
			Addr:         kafka.TCP(os.Getenv("KAFKA_BROKERS")),
			RequiredAcks: kafka.RequireOne,
			Async:        true,
			Completion: func(_ []kafka.Message, err error) {
				if err != nil {
					failed(err)
				}
			},
		},
	}
}

// TaskUpdated publishes with the time as Go writes it: nanoseconds, and the local offset.
func (p *KafkaProducer) TaskUpdated(ctx context.Context, taskID, teamID, actorID, creatorID int, assigneeID *int, payload interface{}) error {
	return p.publish(ctx, "task.updated", TaskEvent{
		EventType:  "task.updated",
		TaskID:     taskID,
		TeamID:     teamID,
		ActorID:    actorID,
		CreatorID:  creatorID,
		AssigneeID: assigneeID,
		Timestamp:  time.Now(),
		Payload:    payload,
	})
}

func (p *KafkaProducer) publish(ctx context.Context, topic string, event TaskEvent) error {
	value, err := json.Marshal(event)
	if err != nil {
		return err
	}
	return p.writer.WriteMessages(ctx, kafka.Message{Topic: topic, Value: value})
}

func produce(titles []string) error {
	var once sync.Once
	var failure error
	producer := NewKafkaProducer(func(err error) { once.Do(func() { failure = err }) })
	for number, title := range titles {
		payload := map[string]interface{}{"title": title, "completed": false}
		if err := producer.TaskUpdated(context.Background(), number+1, 1, 1, 1, nil, payload); err != nil {
			return err
		}
	}
	// Close waits for everything that was written asynchronously.
	return errors.Join(producer.writer.Close(), failure)
}

// received is a line of the consumer's output.
type received struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	Offset    int64  `json:"offset"`
	Key       string `json:"key"`
	Value     string `json:"value"`
}

// consume is the seed's: a reader for each topic, all in the group of the notification service.
func consume() error {
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	var output sync.Mutex
	var readers sync.WaitGroup
	for _, topic := range []string{"task.updated", "task.completed", "user.created"} {
		reader := kafka.NewReader(kafka.ReaderConfig{
			Brokers:     []string{os.Getenv("KAFKA_BROKERS")},
			GroupID:     "notification-service",
			Topic:       topic,
			ErrorLogger: kafka.LoggerFunc(log.Printf),
		})
		readers.Add(1)
		go func() {
			defer readers.Done()
			for {
				// ReadMessage commits what it returns.
				m, err := reader.ReadMessage(ctx)
				if errors.Is(err, context.Canceled) {
					break
				}
				if err != nil {
					log.Print(err)
					continue
				}
				line, _ := json.Marshal(received{m.Topic, m.Partition, m.Offset, string(m.Key), string(m.Value)})
				output.Lock()
				fmt.Printf("%s\n", line)
				output.Unlock()
			}
			if err := reader.Close(); err != nil {
				log.Print(err)
			}
		}()
	}
	readers.Wait()
	return nil
}
