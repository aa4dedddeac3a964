import type { ExportClient } from './client.ts';

/** In single quotes PHP knows two escapes, of the quote and of the backslash. */
const quoted = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`;

export const php: ExportClient = {
  name: 'php',
  title: 'PHP, with PHPMailer',
  opening: '<?php',
  speaks: ['smtp'],
  notes: [
    'PHP 7.4 or newer, PHPMailer 6.6 or newer. require its autoloader before: vendor/autoload.php of Composer, or Debian’s',
    '/usr/share/php/libphp-phpmailer/autoload.php. Run this file with a recipient to try it: php mail.php ada@example.com',
    'In a web server the user of PHP must be the one who owns MAILAUTH_HOME.',
  ],
  render: (values) => {
    const { smtp } = values.hosts;
    if (smtp === undefined) return '';
    return `use PHPMailer\\PHPMailer\\OAuthTokenProvider;
use PHPMailer\\PHPMailer\\PHPMailer;

/** Asks mailauth for a token each time PHPMailer signs in. */
class MailauthToken implements OAuthTokenProvider
{
    public function getOauth64()
    {
        // A list of words: no shell reads it.
        $command = [${values.command.map(quoted).join(', ')}];
        $process = proc_open($command, [1 => ['pipe', 'w'], 2 => ['pipe', 'w']], $pipes);
        $token = trim(stream_get_contents($pipes[1]));
        $why = trim(stream_get_contents($pipes[2]));
        if (proc_close($process) !== 0) {
            throw new RuntimeException($why);
        }
        return base64_encode('user=' . ${quoted(values.users.send)} . "\\x01auth=Bearer $token\\x01\\x01");
    }
}

function mailauth_mailer(): PHPMailer
{
    $mail = new PHPMailer(true);
    $mail->isSMTP();
    $mail->Host = ${quoted(smtp.host)};
    $mail->Port = ${smtp.port};
    $mail->SMTPSecure = PHPMailer::${smtp.security === 'tls' ? 'ENCRYPTION_SMTPS' : 'ENCRYPTION_STARTTLS'};
    $mail->SMTPAuth = true;
    $mail->AuthType = 'XOAUTH2';
    $mail->setOAuth(new MailauthToken());
    $mail->setFrom(${quoted(values.mailbox)});
    return $mail;
}

if (PHP_SAPI === 'cli' && isset($argv[1]) && realpath($argv[0]) === __FILE__) {
    $mail = mailauth_mailer();
    $mail->addAddress($argv[1]);
    $mail->Subject = 'Sent by PHPMailer';
    $mail->Body = 'Hello.';
    $mail->send();
    echo 'sent ', $mail->getLastMessageID(), "\\n";
}
`;
  },
};
